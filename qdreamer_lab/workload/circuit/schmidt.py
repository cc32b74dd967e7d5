"""What a two-qubit block costs to cut: its operator-Schmidt decomposition.

Any two-qubit unitary is U = Σ_k s_k A_k ⊗ B_k with orthonormal A_k and B_k. The s_k carry both
prices of a gate cut: exact mode pays for their number (the rank), sampled mode for gamma, which
follows from their sizes. Plain arrays in and out; this module must not know circuits.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "gamma_of",
    "gate_cut_gamma",
    "local_terms",
    "rank_of",
    "rotation_sine",
    "schmidt_coefficients",
]

RANK_TOLERANCE = 1e-13
"""Terms below this fraction of the operator norm are numerical zeros: dropping them moves no
expectation value by more than rounding does."""

ROTATION_TOLERANCE = 1e-9
"""A third coefficient below this is no second axis: far below any sampling error."""


def schmidt_coefficients(unitaries: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Operator-Schmidt coefficients u of each block, descending, with Σ u² = 1.

    They equal the absolute values of the coefficients in the Weyl (KAK) form
    exp(i(aXX + bYY + cZZ)) = Σ_P u_P P ⊗ P, because the Paulis are orthogonal and the one-qubit
    gates around them change no singular value.

    Args:
        unitaries: (m, 4, 4).

    Returns:
        (m, 4) float64.
    """
    if len(unitaries) == 0:
        return np.empty((0, 4))
    singular = np.linalg.svd(_realigned(unitaries), compute_uv=False)
    return np.asarray(singular / np.linalg.norm(singular, axis=1, keepdims=True))


def gate_cut_gamma(unitaries: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Smallest gamma of a quasi-probability decomposition of each block into local operations.

    gamma = 1 + 4 Σ_{i<j} |u_i||u_j| (Piveteau and Sutter, arXiv:2205.00016; Schmitt, Piveteau and
    Sutter, arXiv:2312.11638): 3 for CX, 1 + 2|sin θ| for RZZ(θ), 7 for SWAP. The number of shots
    grows as gamma².

    Args:
        unitaries: (m, 4, 4).

    Returns:
        (m,) float64, each at least 1.
    """
    return gamma_of(schmidt_coefficients(unitaries))


def gamma_of(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """`gate_cut_gamma` (m,) from Schmidt coefficients (m, 4)."""
    return np.asarray(np.maximum(1.0, 2 * coefficients.sum(axis=1) ** 2 - 1))


def rank_of(coefficients: NDArray[np.float64]) -> NDArray[np.int64]:
    """Operator-Schmidt rank (m,), counted as `local_terms` does, from coefficients (m, 4)."""
    present = coefficients > RANK_TOLERANCE * coefficients[:, :1]
    return np.asarray(np.count_nonzero(present, axis=1), dtype=np.int64)


def rotation_sine(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """|sin θ| of the blocks that are exp(-iθ/2 P ⊗ Q) up to one-qubit gates, NaN for the others.

    These are the blocks with at most two coefficients, |cos(θ/2)| and |sin(θ/2)|.

    Args:
        coefficients: (m, 4) Schmidt coefficients, descending.

    Returns:
        (m,) float64.
    """
    single_axis = coefficients[:, 2] < ROTATION_TOLERANCE
    sine = np.minimum(1.0, 2 * coefficients[:, 0] * coefficients[:, 1])
    return np.where(single_axis, sine, np.nan)


def local_terms(
    unitary: NDArray[np.complex128],
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Write one block as Σ_k high_k ⊗ low_k, without its numerically zero terms.

    Args:
        unitary: (4, 4), little-endian: `low` acts on the least significant qubit.

    Returns:
        `(low, high)`, each (r, 2, 2) with rank r from 1 to 4.
    """
    low, high = _local_terms(np.asarray(unitary, dtype=np.complex128).tobytes())
    return low.copy("C"), high.copy("C")


@functools.lru_cache(maxsize=4096)  # circuits have the same gate at many places and in many plans
def _local_terms(
    unitary: bytes,
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """`local_terms` of a matrix's bytes, row by row."""
    matrix = np.frombuffer(unitary, dtype=np.complex128).reshape(1, 4, 4)
    left, singular, right = np.linalg.svd(_realigned(matrix)[0])
    rank = max(1, int(np.count_nonzero(singular > RANK_TOLERANCE * singular[0])))
    root = np.sqrt(singular[:rank])
    low = (left[:, :rank] * root).T.reshape(rank, 2, 2)
    high = (root[:, None] * right[:rank]).reshape(rank, 2, 2)
    return low, high


def _realigned(unitaries: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Matrix with rows (out, in) of the low qubit and columns (out, in) of the high one."""
    tensor = np.asarray(unitaries, dtype=np.complex128).reshape(-1, 2, 2, 2, 2)
    return tensor.transpose(0, 2, 4, 1, 3).reshape(-1, 4, 4)
