"""Coefficients of gates: read off their matrices, and brought in the order of a pass."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel
from qdreamer_lab.kernels.simulate.tile_pass import (
    BRANCH,
    DENSE_ONE,
    DENSE_TWO,
    DIAGONAL,
    MULTIPLEXED,
)

__all__ = ["gather_coefficients", "read_matrices"]

Ints = NDArray[np.int64]
Matrices = NDArray[np.complex128]

NOTHING = 4 * np.finfo(np.float64).eps
"""Entries of this size, next to the largest of their matrix, are rounding errors of zero."""


@kernel
def read_matrices(flat: Matrices, sizes: Ints, two: NDArray[np.bool_]) -> tuple[Ints, Matrices]:
    """Tell what kind each gate is, and what its coefficients are.

    Args:
        flat: The entries of all matrices, one gate after another.
        sizes: (m,) how many each gate has: 16 on two qubits, 4 for each choice on one.
        two: (m,) whether it is on two qubits.

    Returns:
        (2, m) the kind of each gate, and whether its qubits are to change places: a multiplexed
        gate has its target first. And the coefficients, one gate after another.
    """
    forms = np.zeros((2, len(sizes)), np.int64)
    found = np.empty(len(flat), np.complex128)
    start, at = 0, 0
    for gate in range(len(sizes)):
        matrix = flat[start : start + sizes[gate]]
        start += sizes[gate]
        if len(matrix) > 4 and not two[gate]:
            kind, turned = BRANCH, False
        else:
            kind, turned = kind_of(matrix, two[gate])
        forms[0, gate], forms[1, gate] = kind, turned
        at += write_coefficients(matrix, kind, turned, found[at:])
    return forms, found[:at].copy()


@kernel
def kind_of(matrix: Matrices, two: bool) -> tuple[int, bool]:
    """Return what kind of gate a single matrix, flat, is, and whether its target is its high qubit.

    A qubit is kept if no entry takes one of its values to the other.
    """
    largest = 0.0
    for entry in matrix:
        largest = max(largest, abs(entry.real), abs(entry.imag))
    low = high = True
    width = 4 if two else 2
    for k in range(len(matrix)):
        if max(abs(matrix[k].real), abs(matrix[k].imag)) > NOTHING * largest:
            changed = k // width ^ k % width
            low = low and not changed & 1
            high = high and not changed & 2
    if low and high:
        return DIAGONAL, False
    if not two:
        return DENSE_ONE, False
    return (MULTIPLEXED, low) if low or high else (DENSE_TWO, False)


@kernel
def write_coefficients(matrix: Matrices, kind: int, turned: bool, out: Matrices) -> int:
    """Write the coefficients of a gate, and return how many there are."""
    if kind == DIAGONAL:
        width = 4 if len(matrix) == 16 else 2
        for k in range(width):
            out[k] = matrix[(width + 1) * k]
        return width
    if kind == MULTIPLEXED:
        control, target = (1, 2) if turned else (2, 1)  # the weights of their values
        for k in range(8):
            row = (k >> 2) * control + (k >> 1 & 1) * target
            column = (k >> 2) * control + (k & 1) * target
            out[k] = matrix[4 * row + column]
        return 8
    for k in range(len(matrix)):
        out[k] = matrix[k]
    return len(matrix)


@kernel
def gather_coefficients(coefficients: Matrices, records: Ints, out: NDArray[np.float64]) -> None:
    """Write the coefficients of a pass, diagonals multiplied out to their tables.

    Args:
        coefficients: Of all gates.
        records: (k, 5) What is done, in order: where to write, how many, from where to read, and
            two bits. Without bits (-1) they are copied; without a place to read from (-1) they are
            1; else the entry with number x is multiplied by that whose number x has at these bits,
            or at one of them if the other is -1.
        out: (2, n) Real parts and imaginary parts.
    """
    real, imag = out[0], out[1]
    for k in range(len(records)):
        at, size, source, low, high = records[k]
        for x in range(size):
            if source < 0:
                real[at + x], imag[at + x] = 1.0, 0.0
            elif low < 0:
                value = coefficients[source + x]
                real[at + x], imag[at + x] = value.real, value.imag
            else:
                value = coefficients[
                    source + (x >> low & 1) + (0 if high < 0 else 2 * (x >> high & 1))
                ]
                a, b = real[at + x], imag[at + x]
                real[at + x] = a * value.real - b * value.imag
                imag[at + x] = a * value.imag + b * value.real
