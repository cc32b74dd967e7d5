"""Rounds of shots for one bound circuit: how many where, and what came of it.

The first round learns how much each variant matters and how much it varies, the next ones spend
shots accordingly. Every round is an unbiased estimate of all tensors by itself; rounds are averaged
with weights from their predicted variances. Nothing runs here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import PrecisionError
from qdreamer_lab.workload.allocation import (
    needed_shots,
    neyman,
    predicted_variance,
    variances,
)
from qdreamer_lab.workload.sampling import ShotRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.folding import ShotTensor
    from qdreamer_lab.workload.lowering import SampledRun
    from qdreamer_lab.workload.variants import ShotFragment

__all__ = ["Goal", "ShotRounds"]

MOST_VARIANTS = 4096
"""A fragment with more variants than this runs a random selection of them."""

_MOST_DRAWS = 4096
"""Variants drawn in one round of such a fragment, at most."""

_FLOOR = 8
"""Least shots of a variant in the first round: fewer say too little about its variance."""

_LEAST = 2
"""Least shots of a variant in any round: one has no spread."""

_NOTHING = 1e-300
"""Stands for no variance at all, so that it can be divided by."""

_PILOT_SHOTS = 32
"""Shots of a variant in the first round, on average, when a precision is wanted."""

_PILOT_SHARE = 0.15
"""Share of the first round when the number of shots is given."""

_GROWTH = 16
"""Shots of a round over those before it, at most: what decides how to spend them must be known
well enough. And at least one over this, lest there be many small rounds."""

_MOST_OFF = 4.0
"""How much worse than predicted the error is believed to be."""

_DOUBT = 0.1
"""Share of a fragment's mean variance that each variant is given, since a derivative that looks
small may be so by chance."""

_REPLICAS = 32
"""Draws from which second-order errors are estimated."""

_ROUNDS = 8
_SLACK = 1.05
"""A standard error this close to the one wanted is good enough."""


@dataclass(frozen=True, slots=True)
class Goal:
    """When there are enough shots.

    Attributes:
        precision: standard error wanted of every observable.
        shots: shots to take instead, whatever error that gives; None to go by precision.
        max_shots: most shots to take for a precision.
    """

    precision: float
    shots: int | None
    max_shots: int


class ShotRounds:
    """Shots of one bound circuit.

    Args:
        run: the circuit, lowered.
        goal: when to stop.
        seed: entropy; the same seed gives the same shots on any workers.

    Attributes:
        evs: (observables,) current estimate; NaN before the first round.
        stds: (observables,) its standard errors.
        shots: shots taken so far.

    Raises:
        PrecisionError: if the shots given are too few for the circuits there are.
    """

    def __init__(self, run: SampledRun, goal: Goal, seed: tuple[int, ...]) -> None:
        self.run = run
        self.shots = 0
        self.evs = np.full(run.gluing.num_observables, np.nan)
        self.stds = np.full(run.gluing.num_observables, np.nan)
        self._goal = goal
        self._seed = seed
        self._round = 0
        self._tensors: list[ShotTensor] = []
        self._gradients: list[NDArray[np.float64]] = []
        self._variance = np.zeros((0, 0))
        self._per_shot: list[NDArray[np.float64]] = []
        self._asked: list[ShotRequest] = []
        self._circuits = sum(map(_circuits, run.fragments))
        if goal.shots is not None and goal.shots < _LEAST * self._circuits:
            raise PrecisionError(
                f"{goal.shots} shots are too few for {self._circuits} different circuits: give at "
                f"least {_LEAST * self._circuits}, or plan with a larger max_qubits"
            )

    def requests(self) -> list[ShotRequest]:
        """What to run next, one request per fragment; nothing if the goal is reached.

        Raises:
            PrecisionError: if the precision cannot be reached with the shots allowed; it says what
                can.
        """
        total = self._first_total() if self._round == 0 else self._next_total()
        if not self.run.fragments or total == 0:
            if self._round == 0:
                self._conclude()
            return []
        floor = min(_FLOOR if self._round == 0 else _LEAST, total // self._circuits)
        if self._round == 0:
            spreads = [fragment.weights() for fragment in self.run.fragments]
        else:
            spreads = [_spread(v) for v in self._per_shot]
        parts = [
            spread.sum(keepdims=True) if _drawn(fragment) else spread
            for fragment, spread in zip(self.run.fragments, spreads, strict=True)
        ]
        floors = np.concatenate(
            [
                np.full(len(p), floor * _circuits(f) // len(p))
                for f, p in zip(self.run.fragments, parts, strict=True)
            ]
        )
        dealt = neyman(np.concatenate(parts), total, floors)
        shots = np.split(dealt, np.cumsum([len(part) for part in parts])[:-1])
        self._asked = [
            self._request(k, fragment, mine)
            for k, (fragment, mine) in enumerate(zip(self.run.fragments, shots, strict=True))
        ]
        self._round += 1
        return self._asked

    def take(self, results: Sequence[tuple[ShotTensor, Sequence[NDArray[np.float64]]]]) -> None:
        """Take in a round: per fragment its tensor and its variants' means."""
        fragments, _gluing = self.run.fragments, self.run.gluing
        new = [
            tensor.centred(len(asked.variants)) if _drawn(fragment) else tensor
            for fragment, asked, (tensor, _) in zip(fragments, self._asked, results, strict=True)
        ]
        self.shots += sum(tensor.shots for tensor in new)
        if self._tensors:
            variance = self._predicted()
            before, now = self._variance.sum(axis=1), variance.sum(axis=1)
            share = before / (before + now)
            self._variance = ((1 - share) ** 2 * self._variance.T + share**2 * variance.T).T
            merged = zip(self._tensors, new, share.tolist(), strict=True)
            self._tensors = [old.mixed(fresh, mine) for old, fresh, mine in merged]
        else:
            self._tensors = new
        self._conclude()
        self._per_shot = [
            np.square(_along(gradient, tensor)).sum(axis=0)[:, None] * tensor.shots
            if _drawn(fragment)
            else variances(fragment, means, asked.shots, gradient)
            for fragment, asked, gradient, tensor, (_, means) in zip(
                fragments, self._asked, self._gradients, new, results, strict=True
            )
        ]
        if self._round == 1:
            self._variance = self._predicted()

    def _conclude(self) -> None:
        """Values and error bars of what there is."""
        means = [tensor.mean for tensor in self._tensors]
        self.evs = self.run.gluing.values(means)
        self._gradients = self.run.gluing.gradients(means)
        moves = [
            _along(g, tensor) for g, tensor in zip(self._gradients, self._tensors, strict=True)
        ]
        first = sum((np.square(move).sum(axis=0) for move in moves), np.zeros(len(self.evs)))
        self.stds = np.sqrt(np.maximum(first - self._beyond(moves), first / 3))

    def _beyond(self, moves: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(observables,) variance from several fragments erring together.

        Errors of two fragments multiply. The variance along the derivatives counts that twice,
        because the derivatives carry the errors of the other fragments; so it is subtracted once.
        """
        if len(moves) < 2:
            return np.zeros(len(self.evs))
        rng = np.random.default_rng((*self._seed, self._round))
        straight = self.evs
        moved = []
        for tensor, move in zip(self._tensors, moves, strict=True):
            draws = rng.normal(size=(_REPLICAS, len(move)))
            flat = draws @ tensor.deviations.reshape(len(move), -1)
            moved.append(tensor.mean + flat.reshape(_REPLICAS, *tensor.mean.shape))
            straight = straight + draws @ move
        return np.asarray(np.square(self.run.gluing.replicas(moved) - straight).mean(axis=0))

    def _predicted(self) -> NDArray[np.float64]:
        """(fragments, observables) variance that the last round has by itself."""
        shots = [
            np.array([asked.shots.sum()]) if _drawn(fragment) else asked.shots
            for fragment, asked in zip(self.run.fragments, self._asked, strict=True)
        ]
        return np.maximum(predicted_variance(self._per_shot, shots), _NOTHING)

    def _first_total(self) -> int:
        given = self._goal.shots
        if given is None:
            return min(self._goal.max_shots, _PILOT_SHOTS * self._circuits)
        if given < 4 * _FLOOR * self._circuits:
            return given  # too few to learn from
        return max(_FLOOR * self._circuits, round(_PILOT_SHARE * given))

    def _next_total(self) -> int:
        """Shots of the next round; 0 if there is none."""
        goal = self._goal
        if goal.shots is not None:
            return goal.shots - self.shots
        worst = float(self.stds.max(initial=0.0))
        if worst <= _SLACK * goal.precision or self._round == _ROUNDS:
            return 0
        # Rounds add up like resistors in parallel: 1/v = 1/v_now + shots / cost. The prediction
        # rests on few shots at first, so it is put right by the error that was found.
        where = int(self.stds.argmax())
        off = worst**2 / float(self._variance[:, where].sum())
        cost = needed_shots(self._per_shot, 1.0) * min(max(off, 1.0), _MOST_OFF)
        more = cost * (goal.precision**-2 - worst**-2)
        if self.shots + more > goal.max_shots:
            rest = goal.max_shots - self.shots
            reached = (worst**-2 + rest / cost) ** -0.5
            raise PrecisionError(
                f"precision {goal.precision:.3g} needs about {self.shots + more:.2g} shots, more "
                f"than max_shots={goal.max_shots:,}: with these, about {reached:.2g} can be "
                "reached; raise max_shots, ask for less precision, or cut less (a larger "
                "max_qubits)"
            )
        most = _GROWTH * self.shots
        least = max(_LEAST * self._circuits, self.shots // _GROWTH)
        return max(least, min(math.ceil(more), most))

    def _request(self, k: int, fragment: ShotFragment, shots: NDArray[np.int64]) -> ShotRequest:
        seed = (*self._seed, self._round, k)
        if not _drawn(fragment):
            variants = np.arange(fragment.num_variants)
            return ShotRequest(variants, shots, seed, report=True)
        total = int(shots.sum())
        draws = min(_MOST_DRAWS, max(2, total // _FLOOR))
        chance = fragment.weights() / fragment.weights().sum()
        rng = np.random.default_rng((*seed, 0))
        variants = rng.choice(len(chance), size=draws, p=chance)
        each = np.full(draws, total // draws)
        each[: total % draws] += 1
        return ShotRequest(variants, each, seed, scales=1 / (draws * chance[variants]))


def _spread(per_shot: NDArray[np.float64]) -> NDArray[np.float64]:
    """(variants,) from (observables, variants)."""
    variance = per_shot.sum(axis=0)
    return np.asarray(np.sqrt((1 - _DOUBT) * variance + _DOUBT * variance.mean()))


def _along(gradient: NDArray[np.float64], tensor: ShotTensor) -> NDArray[np.float64]:
    """(groups, observables): how the deviations of a tensor move the values."""
    size = gradient.shape[1] * gradient.shape[2]
    flat = tensor.deviations.reshape(len(tensor.deviations), size)
    return np.asarray(flat @ gradient.reshape(len(gradient), size).T)


def _drawn(fragment: ShotFragment) -> bool:
    """Whether a random selection of its variants is run."""
    return fragment.num_variants > MOST_VARIANTS


def _circuits(fragment: ShotFragment) -> int:
    return min(fragment.num_variants, MOST_VARIANTS)
