"""Qiskit in, arrays out: a circuit in blocks and gates, its observables as Pauli strings.

It must not know cuts, plans or runs.
"""
