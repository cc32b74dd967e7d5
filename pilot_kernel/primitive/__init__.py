"""Qiskit's V2 primitives on a pilot: PUBs in, tasks on workers, a `PrimitiveResult` back.

It knows nothing of notebooks and cells, and reaches workers only through a session.
"""
