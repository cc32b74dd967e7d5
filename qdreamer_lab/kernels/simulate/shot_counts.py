"""Counting what shots say about operators.

An operator is read off a bit string x as 0 where the bits under `care` differ from `value`, else
as the sign (-1) to the number of ones under `parity`: Pauli products need the sign only, projectors
the comparison only. The kernels release the GIL and check nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["combined", "read_all", "squared", "tally"]


@kernel
def sign_of(x: int, parity: int, care: int, value: int) -> int:
    """What one operator reads off one bit string: -1, 0 or 1."""
    if x & care != value:
        return 0
    bits = x & parity
    bits ^= bits >> 32
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    bits ^= bits >> 2
    bits ^= bits >> 1
    return 1 - 2 * (bits & 1)


@kernel
def tally(
    hits: NDArray[np.int64],
    num_bits: int,
    parity: NDArray[np.int64],
    care: NDArray[np.int64],
    value: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Add what every operator reads off every shot.

    Shot k belongs to group k modulo the number of groups.

    Args:
        hits: (shots,) What was hit: `outcome << num_bits | bit string`.
        num_bits: Length of a bit string, at most 62.
        parity: (operators,).
        care: (operators,).
        value: (operators,).
        sums: (groups, outcomes, operators), added to.
    """
    groups = sums.shape[0]
    mask = (1 << num_bits) - 1
    for shot in range(len(hits)):
        x, outcome, group = hits[shot] & mask, hits[shot] >> num_bits, shot % groups
        for k in range(len(parity)):
            sums[group, outcome, k] += sign_of(x, parity[k], care[k], value[k])


@kernel
def read_all(
    probabilities: NDArray[np.float64],
    parity: NDArray[np.int64],
    care: NDArray[np.int64],
    value: NDArray[np.int64],
    means: NDArray[np.float64],
) -> None:
    """Add the mean of every operator over all bit strings, as infinitely many shots would.

    Args:
        probabilities: (outcomes, 2**num_bits).
        parity: (operators,).
        care: (operators,).
        value: (operators,).
        means: (outcomes, operators), added to.
    """
    outcomes, size = probabilities.shape
    for outcome in range(outcomes):
        for x in range(size):
            p = probabilities[outcome, x]
            for k in range(len(parity)):
                means[outcome, k] += p * sign_of(x, parity[k], care[k], value[k])


@kernel
def squared(amplitudes: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Squared absolute values of (rows, columns) complex128, in one pass."""
    rows, columns = amplitudes.shape
    out = np.empty((rows, columns), dtype=np.float64)
    for row in range(rows):
        for k in range(columns):
            a = amplitudes[row, k]
            out[row, k] = a.real * a.real + a.imag * a.imag
    return out


@kernel
def combined(
    states: NDArray[np.complex128], kraus: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Linear combinations over the middle axis: one operation with several outcomes.

    Args:
        states: (rows, choices, columns).
        kraus: (outcomes, choices).

    Returns:
        (rows * outcomes, columns); `kraus @ states`, which NumPy does slowly for few choices.
    """
    rows, choices, columns = states.shape
    outcomes = kraus.shape[0]
    out = np.empty((rows * outcomes, columns), dtype=np.complex128)
    for row in range(rows):
        for outcome in range(outcomes):
            line = row * outcomes + outcome
            first = kraus[outcome, 0]
            for k in range(columns):
                out[line, k] = first * states[row, 0, k]
            for choice in range(1, choices):
                factor = kraus[outcome, choice]
                if factor != 0:
                    for k in range(columns):
                        out[line, k] += factor * states[row, choice, k]
    return out
