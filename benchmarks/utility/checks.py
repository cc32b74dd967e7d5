"""Values against other methods: a tensor network, stabilizers, matrix product states."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.utility.experiment import NUM_QUBITS, NUM_STEPS, Observable, circuit_of, lattice
from benchmarks.utility.oracle import Oracle

TOLERANCE = 1e-10

CHAINS = ("weight 10",)
"""Observables that a matrix product state can do in less than a minute."""

TRIES = {"weight 10": 8, "weight 17": 48}
"""Orders of summation that the oracle tries."""


def off(each: Observable, angles: list[float], values: list[float]) -> bool:
    """Compare values with those of other methods; whether one is off."""
    errors = {"tensor network": _network_error(each, angles, values)}
    ends = [(0.0, values[0]), (math.pi / 2, values[-1])]
    errors["stabilizer"] = max(
        abs(_uncut(each, angle, "stabilizer") - value) for angle, value in ends
    )
    errors["known at π/2"] = abs(each.at_half_pi - values[-1])
    if each.name in CHAINS:
        middle = len(angles) // 2
        chain = _uncut(each, angles[middle], "matrix_product_state")
        errors["matrix product state"] = abs(chain - values[middle])
    for method, error in errors.items():
        print(f"{each.name}: off by {error:.1e} from {method}", flush=True)
    return max(errors.values()) > TOLERANCE


def _network_error(each: Observable, angles: list[float], values: list[float]) -> float:
    edges = lattice()
    expected = np.zeros(len(angles))
    for coefficient, string in each.strings:
        oracle = Oracle(edges, NUM_STEPS, string, TRIES.get(each.name, 0))
        expected += coefficient * np.array([oracle.value(angle) for angle in angles])
    return float(np.abs(expected - values).max())


def _uncut(each: Observable, angle: float, method: str) -> float:
    from qdreamer_lab import CutEstimator

    estimator = CutEstimator(NUM_QUBITS, mode="exact", method=method)
    pub = (circuit_of(angle, lattice()), each.operator)
    return float(estimator.run([pub]).result()[0].data.evs)
