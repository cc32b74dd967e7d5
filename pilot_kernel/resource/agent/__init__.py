"""The agent: the process that outlives the kernel and holds the scheduler and the pilots' workers.

Must not be imported by the notebook's side, which talks to it over a connection.
"""
