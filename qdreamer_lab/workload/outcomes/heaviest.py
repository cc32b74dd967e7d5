"""The heaviest outcomes of many qubits, without looking at all of them: branch and bound.

Outcomes are fixed piece by piece. However the rest of a circuit looks, no outcome x of a piece is
likelier than its *leverage*, the greatest eigenvalue of G^(-1/2) M(x) G^(-1/2) with G = Σ_x M(x):
for every positive E, tr(E M(x)) is at most that times tr(E G), and the latter is the probability of
what is fixed already. So the probability of what is fixed, times the greatest leverage of each
piece that is still open, bounds every outcome that begins like this. The search goes on where that
bound is greatest, and is over when no bound exceeds what has been found.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.outcomes.network import Network
    from qdreamer_lab.workload.outcomes.piece import Piece

__all__ = ["Found", "heaviest"]

_SAME = 1e-9
"""Bounds that differ by this share count as equal. Of equal ones the search follows the one that
has most fixed, or it would look at all beginnings of outcomes that are all equally likely."""

_NOTHING = 1e-14
"""Share of what is fixed already, below which a probability is zero but for rounding."""

_DIRECTIONS = 1e-14
"""Directions of a piece, or of its environment, that weigh less than this share are rounding."""

_FIRST_BLOCK = 1 << 12
"""Outcomes of a piece that are looked at together at first; twice as many each time after."""

_MOST_WORK = 4e10
"""Floating-point operations after which the search gives up proving: about half a minute."""

_NODE_WORK = 2e5
"""What a node takes besides."""


@dataclass(frozen=True, slots=True)
class Found:
    """The heaviest outcomes.

    Attributes:
        outcomes: Of each, one outcome per piece, in the order of the network, and its probability,
            the greatest first.
        others_at_most: No other outcome is more probable than this.
    """

    outcomes: tuple[tuple[tuple[int, ...], float], ...]
    others_at_most: float


@dataclass(frozen=True, eq=False, slots=True)
class _Sorted:
    """A piece in coordinates in which G is the identity, its outcomes by descending leverage.

    Attributes:
        root: (directions, choices): what takes environments there.
        amplitudes: (unmeasured, directions, outcomes).
        outcomes: (outcomes,) their numbers.
        leverage: (outcomes,) descending.
    """

    root: NDArray[np.complex128]
    amplitudes: NDArray[np.complex128]
    outcomes: NDArray[np.int64]
    leverage: NDArray[np.float64]

    @classmethod
    def of(cls, piece: Piece) -> _Sorted:
        weights, vectors = np.linalg.eigh(piece.total())
        kept = weights > _DIRECTIONS * weights[-1]
        weights, vectors = weights[kept], vectors[:, kept]
        # M_ab = Σ A_a* A_b, so G is diagonal for the amplitudes vᵀA.
        turned = np.stack([(vectors / np.sqrt(weights)).T @ each for each in piece.amplitudes])
        leverage = _greatest(turned)
        order = np.argsort(-leverage, kind="stable")
        root = (vectors * np.sqrt(weights)).conj().T
        return cls(root, np.ascontiguousarray(turned[:, :, order]), order, leverage[order])


@dataclass(eq=False, slots=True)
class _Branch:
    """Outcomes of a piece that are still to be looked at, the others being fixed before it.

    Attributes:
        place: Of the piece.
        fixed: The outcomes of the pieces before it.
        mass: Probability of what is fixed.
        known: (1, *frontier) what that leads to.
        roots: (directions, terms) R with E = R R†, in the piece's own coordinates.
        next: How many outcomes have been looked at.
        step: How many to look at next.
    """

    place: int
    fixed: tuple[int, ...]
    mass: float
    known: NDArray[np.complex128]
    roots: NDArray[np.complex128]
    next: int = 0
    step: int = _FIRST_BLOCK


@dataclass(eq=False, slots=True)
class _Children:
    """What came of outcomes that were looked at: each fixes one more piece.

    Attributes:
        parent: Whose they are.
        outcomes: (n,) of the parent's piece.
        masses: (n,) their probabilities, descending.
        next: How many have been followed.
    """

    parent: _Branch
    outcomes: NDArray[np.int64]
    masses: NDArray[np.float64]
    next: int = 0


def heaviest(network: Network, count: int, most_work: float = _MOST_WORK) -> Found:
    """The heaviest outcomes of a network.

    Args:
        network: Its pieces.
        count: How many outcomes, at most; impossible ones are never among them.
        most_work: Floating-point operations, about, after which the search stops with what it has.
    """
    return _Search(network, count).run(most_work)


class _Search:
    """A search on its way."""

    def __init__(self, network: Network, count: int) -> None:
        self._network = network
        self._count = count
        self._pieces = [_Sorted.of(piece) for piece in network.pieces]
        beyond = [1.0]  # what is left of a probability, at most, once all further pieces are fixed
        for piece in self._pieces[::-1]:
            beyond.append(beyond[-1] * float(piece.leverage[0]))
        self._beyond = beyond[::-1]
        self._best: list[tuple[float, int, tuple[int, ...]]] = []
        self._open: list[tuple[int, int, int, _Branch | _Children]] = []
        self._number = itertools.count()
        self._neglected = 0.0
        self._work = 0.0

    def run(self, most_work: float) -> Found:
        if self._pieces:
            self._branch(0, (), self._network.start())
        while self._open and self._work < most_work:
            if self._left <= self._least * (1 + 3 * _SAME):
                break
            *_, node = heapq.heappop(self._open)
            if isinstance(node, _Branch):
                self._look(node)
            else:
                self._follow(node)
        best = sorted(self._best, reverse=True)
        left = self._left
        full = len(best) == self._count
        others = max(left, self._neglected, self._least if full else 0.0)
        if full and left <= self._least * (1 + 3 * _SAME):
            others = max(self._least, self._neglected)
        return Found(tuple((path, mass) for mass, _, path in best), min(1.0, others))

    @property
    def _left(self) -> float:
        """What no outcome that is still open exceeds."""
        return math.exp(-_SAME * (self._open[0][0] - 1)) if self._open else 0.0

    @property
    def _least(self) -> float:
        """What an outcome must exceed to be among the heaviest."""
        return self._best[0][0] if len(self._best) == self._count else 0.0

    def _branch(self, place: int, fixed: tuple[int, ...], known: NDArray[np.complex128]) -> None:
        piece = self._pieces[place]
        (environment,) = self._network.environments(place, known)
        # tr(E M) = Σ E_ab A_a* A_b = Σ_t |Σ_a A_a r_at*|² with E = Σ_t r_t r_t†.
        weights, vectors = np.linalg.eigh(piece.root.conj() @ environment @ piece.root.T)
        kept = weights > _DIRECTIONS * max(weights[-1], 0.0)
        mass = float(weights[kept].sum())
        if mass > 0:
            roots = (vectors[:, kept] * np.sqrt(weights[kept])).conj().T
            self._push(_Branch(place, fixed, mass, known, roots))
        self._work += _NODE_WORK + 50.0 * len(weights) ** 3

    def _push(self, node: _Branch | _Children) -> None:
        """Keep what may still lead to something."""
        if isinstance(node, _Branch):
            leverage = self._pieces[node.place].leverage
            if node.next == len(leverage):
                return
            bound = node.mass * float(leverage[node.next]) * self._beyond[node.place + 1]
        else:
            if node.next == len(node.masses):
                return
            bound = float(node.masses[node.next]) * self._beyond[node.parent.place + 1]
        if bound > self._least:
            depth = node.place if isinstance(node, _Branch) else node.parent.place + 1
            rank = -math.floor(math.log(bound) / _SAME)
            heapq.heappush(self._open, (rank, -depth, next(self._number), node))

    def _look(self, branch: _Branch) -> None:
        """Look at some more outcomes of a branch's piece."""
        piece = self._pieces[branch.place]
        some = slice(branch.next, branch.next + branch.step)
        amplitudes = piece.amplitudes[:, :, some]
        masses = np.zeros(amplitudes.shape[2])
        for each in amplitudes:
            masses += np.square(np.abs(branch.roots @ each)).sum(axis=0)
        self._work += 8.0 * branch.roots.size * amplitudes.shape[0] * len(masses)
        possible = masses > _NOTHING * branch.mass
        beyond = self._beyond[branch.place + 1]
        unlikely = float(masses[~possible].max(initial=0.0)) * beyond
        self._neglected = max(self._neglected, unlikely)
        chosen = np.flatnonzero(possible & (masses * beyond > self._least))
        chosen = chosen[np.argsort(-masses[chosen], kind="stable")]
        outcomes, masses = piece.outcomes[some][chosen], masses[chosen]
        if branch.place + 1 == len(self._pieces):
            self._keep(branch.fixed, outcomes, masses)
        else:
            self._push(_Children(branch, outcomes, masses))
        branch.next += branch.step
        branch.next = min(branch.next, len(piece.outcomes))
        branch.step *= 2
        self._push(branch)

    def _keep(
        self, fixed: tuple[int, ...], outcomes: NDArray[np.int64], masses: NDArray[np.float64]
    ) -> None:
        """Take in outcomes of the last piece, the heaviest first."""
        for outcome, mass in zip(outcomes.tolist(), masses.tolist(), strict=True):
            if len(self._best) < self._count:
                heapq.heappush(self._best, (mass, -next(self._number), (*fixed, outcome)))
            elif mass > self._least:
                heapq.heapreplace(self._best, (mass, -next(self._number), (*fixed, outcome)))
            else:
                return

    def _follow(self, children: _Children) -> None:
        """Fix the next of a branch's outcomes."""
        parent, outcome = children.parent, children.outcomes[children.next]
        children.next += 1
        self._push(children)
        known = self._network.advanced(parent.place, parent.known, np.array([outcome]))
        self._branch(parent.place + 1, (*parent.fixed, int(outcome)), known)


def _greatest(amplitudes: NDArray[np.complex128]) -> NDArray[np.float64]:
    """(outcomes,) greatest eigenvalue of M(x), from (unmeasured, directions, outcomes)."""
    if len(amplitudes) == 1:
        return np.asarray(np.square(np.abs(amplitudes[0])).sum(axis=0))
    found = np.empty(amplitudes.shape[2])
    for first in range(0, len(found), 1 << 14):
        some = amplitudes[:, :, first : first + (1 << 14)].transpose(2, 1, 0)
        found[first : first + (1 << 14)] = np.linalg.eigvalsh(some @ some.conj().swapaxes(1, 2))[
            :, -1
        ]
    return np.minimum(found, 1.0)
