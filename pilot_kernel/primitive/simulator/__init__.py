"""PUBs through Aer: written for it in the notebook's process, run on a worker.

It must not know QPUs, and must not submit tasks.
"""
