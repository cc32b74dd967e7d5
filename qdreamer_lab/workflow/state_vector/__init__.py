"""One state vector over MPI ranks: planned, run, exchanged between them, looked at.

It must not import Qiskit where ranks import it, since each of them would wait for that.
"""
