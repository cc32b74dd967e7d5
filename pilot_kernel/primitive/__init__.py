"""Qiskit's V2 primitives on a pilot: PUBs in, pieces to the workers, a `PrimitiveResult` back."""
