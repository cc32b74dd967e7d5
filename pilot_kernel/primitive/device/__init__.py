"""PUBs through a QPU's backend: transpiled in the notebook's process, run on a worker, read out.

It must not know how simulators take PUBs, and must not submit tasks.
"""
