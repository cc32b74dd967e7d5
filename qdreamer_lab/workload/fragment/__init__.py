"""One fragment as state vectors: its program, its simulation, the memory it takes.

It must not know sessions, shots or how tensors are put together.
"""
