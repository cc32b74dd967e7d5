"""The gate behind a quasi-probability decomposition, from its local operations alone.

A decomposition says Σ_k c_k A_k ⊗ B_k = the channel of the gate. The channel's Choi matrix is
the projector on the gate's own matrix, read as a vector, so its leading eigenvector is the gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["unitary_of_basis"]

_TOLERANCE = 1e-6
"""Weight outside the leading eigenvector from which on the channel is no unitary."""

_MEASURE = np.diag([1, 0, 0, -1]).astype(np.complex128)
"""Projection on |0⟩ minus projection on |1⟩: a measurement whose outcome is a sign."""


def unitary_of_basis(basis: Any) -> NDArray[np.complex128] | None:
    """The two-qubit unitary that a `QPDBasis` decomposes.

    Returns:
        (4, 4) complex128, little-endian, up to a global phase; None if there is no such unitary.
    """
    choi = np.zeros((16, 16), dtype=np.complex128)
    for coefficient, (low, high) in zip(basis.coeffs, basis.maps, strict=True):
        low_choi, high_choi = _local_choi(low), _local_choi(high)
        if low_choi is None or high_choi is None:
            return None
        choi += coefficient * np.kron(low_choi, high_choi)
    values, vectors = np.linalg.eigh(choi)
    if abs(values[-1] - 4) > _TOLERANCE or np.abs(values[:-1]).max() > _TOLERANCE:
        return None
    out_in = 2 * vectors[:, -1].reshape(2, 2, 2, 2)  # out and in of the low qubit, of the high one
    return np.ascontiguousarray(out_in.transpose(2, 0, 3, 1).reshape(4, 4))


def _local_choi(operations: Sequence[Any]) -> NDArray[np.complex128] | None:
    """(4, 4) Choi matrix of one-qubit operations in sequence; None if one of them is unknown."""
    from qiskit_addon_cutting.qpd import QPDMeasure

    channel = np.eye(4, dtype=np.complex128)
    for operation in operations:
        if isinstance(operation, QPDMeasure):
            step = _MEASURE
        elif hasattr(operation, "to_matrix"):
            matrix = operation.to_matrix()
            step = np.kron(matrix, matrix.conj())
        else:
            return None
        channel = step @ channel
    return channel.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
