"""The simulation engine: batches of state vectors, in few passes over memory, on cores or GPUs.

It must not know circuits, cuts, plans or sessions: it takes steps on qubits and gives arrays.
"""
