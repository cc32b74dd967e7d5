"""Sweeps over the gates of a circuit: light cones, runs on pairs of qubits, segments of wires.

They must not know observables but as letters and masks, and nothing of what a cut costs.
"""
