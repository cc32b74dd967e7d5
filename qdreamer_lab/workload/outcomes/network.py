"""Pieces joined at their cuts: what the outcomes of some of them make of those of the next.

Pieces stand in an order. What is known once the outcomes of the first ones are fixed is a tensor
over the cuts between them and the rest, their *frontier*; contracted with all later pieces, summed
over their outcomes, it is a positive matrix over the cuts of the next piece, its *environment* E.
An outcome x of that piece then has probability tr(E M(x)), together with those that are fixed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import opt_einsum

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.outcomes.piece import joint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.outcomes.piece import Piece

__all__ = ["Network", "joining_bytes", "table_bytes"]

_PART = 1 << 21
"""Numbers of a temporary array, about: 32 MB."""

_KNOWN, _OUTCOME = 0, 1
"""Indices of contractions: what is known, outcomes of a piece; those of cuts come after them."""

_Axes = tuple[tuple[int, int], ...]


class Network:
    """Pieces in an order that keeps frontiers small, the one with most outcomes last.

    Attributes:
        pieces: In order.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = tuple(pieces[k] for k in _ordered([(p.axes, len(p.qubits)) for p in pieces]))
        self._sizes = {cut: size for piece in pieces for cut, size in piece.axes}
        self._frontiers = _frontiers([piece.axes for piece in self.pieces])
        tail: NDArray[np.complex128] = np.ones((), np.complex128)
        tails = [tail]
        for k in range(len(self.pieces) - 1, -1, -1):
            piece = self.pieces[k]
            mine, gram = self._doubled(piece.axes), piece.total()
            tail = opt_einsum.contract(
                gram.reshape(self._shape(piece.axes)),
                mine,
                tail,
                self._ids(self._frontiers[k + 1]),
                self._ids(self._frontiers[k]),
            )
            tails.append(tail)
        self._tails = tails[::-1]

    @property
    def qubits(self) -> tuple[int, ...]:
        """All that are measured, piece by piece."""
        return tuple(qubit for piece in self.pieces for qubit in piece.qubits)

    @property
    def widest(self) -> int:
        """Numbers of the largest frontier, or of the largest environment if that is larger."""
        frontiers = [math.prod(self._sizes[cut] for cut in cuts) ** 2 for cuts in self._frontiers]
        return max(*frontiers, *(piece.choices**2 for piece in self.pieces))

    def start(self) -> NDArray[np.complex128]:
        """(1,): what is known before any outcome is fixed."""
        return np.ones(1, np.complex128)

    def environments(self, place: int, known: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """(n, choices, choices): E of a piece, from (n, *frontier) of those before it."""
        piece = self.pieces[place]
        found = opt_einsum.contract(
            known,
            [_KNOWN, *self._ids(self._frontiers[place])],
            self._tails[place + 1],
            self._ids(self._frontiers[place + 1]),
            [_KNOWN, *self._doubled(piece.axes)],
        )
        return np.asarray(found.reshape(len(known), piece.choices, piece.choices))

    def advanced(
        self, place: int, known: NDArray[np.complex128], outcomes: NDArray[np.int64]
    ) -> NDArray[np.complex128]:
        """(n, *next frontier): with (n,) outcomes of a piece fixed as well, one for each known."""
        return self._joined(place, known, self.pieces[place].grams(outcomes), _KNOWN)

    def table(self, limit_bytes: int) -> NDArray[np.float64]:
        """(2**len(qubits),) probabilities; the first of `qubits` is the least significant bit.

        Raises:
            MemoryLimitError: If it does not fit.
        """
        shapes = [(piece.axes, len(piece.qubits)) for piece in self.pieces]
        needed = table_bytes(shapes)
        if needed > limit_bytes:
            bits = len(self.qubits)
            raise MemoryLimitError(
                f"the probabilities of all outcomes of {bits} bits need {readable(needed)}, but "
                f"{readable(limit_bytes)} may be used: ask for fewer bits, such as "
                "probabilities([0, 1, 2]), for the heaviest outcomes with top(16), or for samples"
            )
        known = self.start()
        last = len(self.pieces) - 1
        for place, piece in enumerate(self.pieces):
            if place == last:
                return self._last_rows(known)
            grown = self._joined(place, known, piece.grams(slice(None)), _OUTCOME)
            # Outcomes of later pieces are the more significant bits.
            known = grown.swapaxes(0, 1).reshape(-1, *grown.shape[2:])
        return np.ones(1)

    def _last_rows(self, known: NDArray[np.complex128]) -> NDArray[np.float64]:
        """(outcomes of the last piece times those before,) probabilities."""
        place = len(self.pieces) - 1
        piece = self.pieces[place]
        found = np.empty((piece.outcomes, len(known)))
        around = self.environments(place, known).reshape(len(known), -1).T
        step = max(1, _PART // piece.choices**2)
        for first in range(0, piece.outcomes, step):
            grams = piece.grams(slice(first, first + step)).reshape(-1, piece.choices**2)
            found[first : first + step] = grams.real @ around.real - grams.imag @ around.imag
        return np.maximum(found, 0.0).ravel()

    def _joined(
        self,
        place: int,
        known: NDArray[np.complex128],
        grams: NDArray[np.complex128],
        counted: int,
    ) -> NDArray[np.complex128]:
        """The next frontier, of pairs of what is known and a Gram matrix, or of all combinations.

        Args:
            place: Of the piece.
            known: (n, *frontier).
            grams: (m, choices, choices).
            counted: `_KNOWN` for pairs, and then m = n; `_OUTCOME` for all combinations.

        Returns:
            (n, *next frontier), or (n, m, *next frontier).
        """
        axes = self.pieces[place].axes
        batch = [_KNOWN] if counted == _KNOWN else [_KNOWN, _OUTCOME]
        found = opt_einsum.contract(
            known,
            [_KNOWN, *self._ids(self._frontiers[place])],
            grams.reshape(len(grams), *self._shape(axes)),
            [counted, *self._doubled(axes)],
            [*batch, *self._ids(self._frontiers[place + 1])],
        )
        return np.asarray(found)

    def _ids(self, cuts: tuple[int, ...]) -> list[int]:
        return [*(2 + 2 * cut for cut in cuts), *(3 + 2 * cut for cut in cuts)]

    def _doubled(self, axes: _Axes) -> list[int]:
        return self._ids(tuple(cut for cut, _ in axes))

    def _shape(self, axes: _Axes) -> tuple[int, ...]:
        sizes = tuple(size for _, size in axes)
        return sizes + sizes


def joining_bytes(shapes: Sequence[tuple[_Axes, int]]) -> int:
    """Memory that joining pieces takes besides them, from (axes, bits) of each, in any order."""
    axes = [shapes[k][0] for k in _ordered(shapes)]
    sizes = {cut: size for mine in axes for cut, size in mine}
    frontiers = [math.prod(sizes[cut] for cut in cuts) ** 2 for cuts in _frontiers(axes)]
    matrices = [joint(mine) ** 2 for mine in axes]
    return 16 * (sum(frontiers) + 4 * max([*frontiers, *matrices]))


def table_bytes(shapes: Sequence[tuple[_Axes, int]]) -> int:
    """Memory that a table of pieces takes at most, from (axes, bits) of each, in their order."""
    sizes = {cut: size for axes, _ in shapes for cut, size in axes}
    frontiers = _frontiers([axes for axes, _ in shapes])
    bits = peak = 0
    for k, (axes, mine) in enumerate(shapes[:-1]):
        before = math.prod(sizes[cut] for cut in frontiers[k]) ** 2 << bits
        bits += mine
        after = math.prod(sizes[cut] for cut in frontiers[k + 1]) ** 2 << bits
        peak = max(peak, 16 * (before + 2 * after + (joint(axes) ** 2 << mine)))
    axes, mine = shapes[-1] if shapes else ((), 0)
    around = joint(axes) ** 2 << bits
    rows = min(_PART, joint(axes) ** 2 << mine)
    return max(peak, 48 * around + 48 * rows + 24 * (1 << bits + mine))


def _frontiers(axes: Sequence[_Axes]) -> list[tuple[int, ...]]:
    """Per place, the cuts between the pieces before it and the others; nothing at both ends."""
    opened: list[int] = []
    found: list[tuple[int, ...]] = [()]
    for mine in axes:
        for cut, _ in mine:
            if cut in opened:
                opened.remove(cut)
            else:
                opened.append(cut)
        found.append(tuple(opened))
    return found


def _ordered(shapes: Sequence[tuple[_Axes, int]]) -> list[int]:
    """An order, found from its end: always the piece that leaves the smallest frontier."""
    left = list(range(len(shapes)))
    order: list[int] = []
    there: dict[int, int] = {}
    while left:

        def price(k: int) -> tuple[int, int]:
            after = {**there}
            for cut, size in shapes[k][0]:
                if after.pop(cut, None) is None:
                    after[cut] = size
            return math.prod(after.values()), -shapes[k][1]

        def bits(k: int) -> int:
            return -shapes[k][1]

        best = min(left, key=price if order else bits)
        for cut, size in shapes[best][0]:
            if there.pop(cut, None) is None:
                there[cut] = size
        order.append(best)
        left.remove(best)
    return order[::-1]
