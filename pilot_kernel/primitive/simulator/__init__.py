"""PUBs through Aer: written for it in the notebook's process, run on a worker.

Must not know QPUs, and must not submit tasks.
"""
