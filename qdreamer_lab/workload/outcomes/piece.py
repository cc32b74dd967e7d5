"""A fragment as a tensor over its outcomes and its cuts, all that a distribution needs of it.

With A its amplitudes, M_ab(x) = Σ_u A_uax* A_ubx says what outcome x leads to for the choices a
(bra) and b (ket) at the cuts; u runs over what was not measured. The probability of an outcome of
the whole circuit is the contraction of all M over the cuts. Plain arrays; nothing is planned here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Piece", "compressed", "joint", "piece_bytes"]

_PART = 1 << 22
"""Numbers of a temporary array, about: 64 MB."""


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """A fragment, or a qubit that no block touches, with the outcomes of its measured qubits.

    Attributes:
        qubits: The circuit's qubits that are measured here; the first is an outcome's least
            significant bit.
        axes: (cut, choices) of each cut, the last varying fastest.
        amplitudes: (unmeasured, Π choices, 2**len(qubits)) complex128.
    """

    qubits: tuple[int, ...]
    axes: tuple[tuple[int, int], ...]
    amplitudes: NDArray[np.complex128]

    @property
    def choices(self) -> int:
        """Joint choices at all cuts."""
        return int(self.amplitudes.shape[1])

    @property
    def outcomes(self) -> int:
        """How many outcomes there are."""
        return int(self.amplitudes.shape[2])

    def grams(self, which: slice | NDArray[np.int64]) -> NDArray[np.complex128]:
        """(outcomes, choices, choices): M of some outcomes, the bra's choice first."""
        chosen = self.amplitudes[:, :, which].transpose(2, 1, 0)
        return np.asarray(chosen.conj() @ chosen.swapaxes(1, 2))

    def blocks(self, size: int) -> NDArray[np.complex128]:
        """(outcomes / size, choices, choices): M summed over neighbouring outcomes."""
        _, choices, outcomes = self.amplitudes.shape
        found = np.zeros((outcomes // size, choices, choices), np.complex128)
        step = max(1, _PART // (choices * size))
        for first in range(0, len(found), step):
            some = slice(first * size, (first + step) * size)
            for amplitudes in self.amplitudes:
                part = amplitudes[:, some].reshape(choices, -1, size).swapaxes(0, 1)
                found[first : first + step] += part.conj() @ part.swapaxes(1, 2)
        return found

    def total(self) -> NDArray[np.complex128]:
        """(choices, choices): M summed over all outcomes."""
        return np.asarray(
            sum(amplitudes.conj() @ amplitudes.T for amplitudes in self.amplitudes), np.complex128
        )

    def marginal(self, qubits: Sequence[int]) -> Piece:
        """Of those of its qubits that are among `qubits`; the others count as unmeasured."""
        kept = [k for k, qubit in enumerate(self.qubits) if qubit in qubits]
        if len(kept) == len(self.qubits):
            return self
        left = tuple(self.qubits[k] for k in kept)
        return Piece(left, self.axes, compressed(self.amplitudes, len(self.qubits), kept))


def compressed(
    amplitudes: NDArray[np.complex128], num_bits: int, kept: Sequence[int]
) -> NDArray[np.complex128]:
    """Amplitudes by outcomes of some bits, with as few unmeasured rows as that takes.

    Args:
        amplitudes: (rows, choices, 2**num_bits).
        num_bits: Of an index.
        kept: The bits that stay, in the order of their new significance, least first.

    Returns:
        (rows', choices, 2**len(kept)); the same M summed over the other bits, and no more rows
        than there are choices.
    """
    rows, choices, _ = amplitudes.shape
    if list(kept) != list(range(num_bits)):
        gone = [k for k in range(num_bits) if k not in set(kept)]
        # Bit k is axis 2 + num_bits - 1 - k.
        places = [1 + num_bits - k for k in (*gone, *reversed(kept))]
        split = amplitudes.reshape(rows, choices, *(2,) * num_bits)
        order = (0, *places[: len(gone)], 1, *places[len(gone) :])
        amplitudes = split.transpose(order).reshape(-1, choices, 1 << len(kept))
    if len(amplitudes) <= choices:
        return np.ascontiguousarray(amplitudes)
    found = np.empty((choices, choices, amplitudes.shape[2]), np.complex128)
    step = max(1, _PART // (len(amplitudes) * choices))
    for first in range(0, found.shape[2], step):
        some = amplitudes[:, :, first : first + step].transpose(2, 1, 0)
        weights, vectors = np.linalg.eigh(some @ some.conj().swapaxes(1, 2))
        roots = np.sqrt(np.maximum(weights, 0.0))
        found[:, :, first : first + step] = (vectors * roots[:, None, :]).transpose(2, 1, 0)
    return found


def piece_bytes(choices: int, num_bits: int, unmeasured: int) -> int:
    """Memory of a piece's amplitudes.

    Args:
        choices: Joint choices at its cuts.
        num_bits: Measured qubits.
        unmeasured: Other qubits.
    """
    return 16 * choices * min(choices, 1 << min(unmeasured, 64)) << num_bits


def joint(axes: Sequence[tuple[int, int]]) -> int:
    """Joint choices at some cuts."""
    return math.prod(size for _, size in axes)
