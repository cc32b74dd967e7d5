"""The agent: the process that outlives the kernel and holds the scheduler and the pilots' workers.

It must not know what tasks are about, nor import anything of the notebook's side.
"""
