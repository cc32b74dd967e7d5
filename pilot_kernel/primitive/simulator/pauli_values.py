"""Expectation values of Pauli strings; those that flip the same qubits share a pass over states."""

from typing import Any

import numpy as np

__all__ = ["pauli_values"]


def pauli_values(states: Any, x: Any, z: Any) -> Any:
    """Expectation values of Pauli strings.

    Args:
        states: State vectors, complex, of shape (2^n, states).
        x: Which qubits each string flips, boolean, of shape (strings, n), qubit 0 first.
        z: Where it has a Z or a Y, likewise.

    Returns:
        Real values of shape (states, strings).
    """
    wide = x.shape[1]
    powers = 1 << np.arange(wide)
    flips, signs = x @ powers, z @ powers
    odd = (x & z).sum(axis=1)  # each Y is iXZ
    places = np.arange(2**wide)
    parity = 1.0 - 2.0 * (np.bitwise_count(places) & 1)
    found = np.empty((states.shape[1], len(flips)))
    order = np.argsort(flips, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(flips[order])) + 1):
        if not len(group):
            continue
        products = states[places ^ flips[group[0]]].conj() * states
        if len(group) > 2 * wide:
            sums = _all_signs(products)[signs[group]]
        else:
            sums = np.stack([parity[places & sign] @ products for sign in signs[group]])
        found[:, group] = (1j ** odd[group, None] * sums).real.T
    return found


def _all_signs(values: Any) -> Any:
    """Sums of all rows with the signs (-1)^(z·k), for every z: a Walsh-Hadamard transform."""
    size, count = values.shape
    done, half = values, 1
    while half < size:
        pairs = done.reshape(size // (2 * half), 2, half, count)
        done = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1)
        half *= 2
    return done.reshape(size, count)
