"""Runs the 127-qubit kicked Ising experiment of Nature 618, 500 (2023) exactly.

It must only use what users use; what it is checked against shares no code with it.
"""
