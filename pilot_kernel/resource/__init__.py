"""Where work runs: pilots, the agent that keeps them, and the notebook's connection to it.

It must not know what tasks are about.
"""
