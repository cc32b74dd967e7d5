"""Rounds of shots for one bound circuit: how many where, and what came of it.

The first round learns how much each variant matters and how much it varies, the next ones spend
shots accordingly. Every round is an unbiased estimate of all tensors by itself; rounds are averaged
with weights from their predicted variances. Nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.allocation import (
    needed_shots,
    neyman,
    predicted_variance,
    rounded,
    variances,
)
from qdreamer_lab.workload.sampled.goal import LEAST, PILOT_LEAST, Goal
from qdreamer_lab.workload.sampled.shots import ShotRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.lower import SampledProgram
    from qdreamer_lab.workload.sampled.tensor import Sample, ShotTensor
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["MOST_VARIANTS", "ShotRounds"]

MOST_VARIANTS = 4096
"""A fragment with more variants than this runs a random selection of them."""

_MOST_DRAWS = 4096
"""Variants drawn in one round of such a fragment, at most."""

_NOTHING = 1e-300
"""Stands for no variance at all, so that it can be divided by."""

_MOST_OFF = 4.0
"""By which factor the variance found may differ from the one predicted, to be believed."""

_DOUBT = 0.1
"""Share of a fragment's mean variance that each variant is given, since a derivative that looks
small may be so by chance."""

_REPLICAS = 32
"""Draws from which second-order errors are estimated."""


class ShotRounds:
    """Shots of one bound circuit.

    Args:
        program: the circuit, lowered.
        goal: when to stop.
        seed: entropy; the same seed gives the same shots on any workers.
        coarse: give many variants equal numbers of shots, and neighbouring places in a request, for
            devices that take them in one job.

    Attributes:
        evs: (observables,) current estimate; NaN before the first round.
        stds: (observables,) its standard errors.
        shots: shots taken so far.

    Raises:
        PrecisionError: if the shots given are too few for the circuits there are.
    """

    def __init__(
        self, program: SampledProgram, goal: Goal, seed: tuple[int, ...], *, coarse: bool = False
    ) -> None:
        self._coarse = coarse
        self.program = program
        self.shots = 0
        self.evs = np.full(program.gluing.num_observables, np.nan)
        self.stds = np.full(program.gluing.num_observables, np.nan)
        self._goal = goal
        self._seed = seed
        self._round = 0
        self._tensors: list[ShotTensor] = []
        self._gradients: list[NDArray[np.float64]] = []
        self._variance = np.zeros((0, 0))
        self._linear = np.zeros(program.gluing.num_observables)
        self._per_shot: list[NDArray[np.float64]] = []
        self._taken: list[NDArray[np.int64]] = []
        self._asked: list[ShotRequest] = []
        self._circuits = sum(map(_circuits, program.fragments))
        goal.check(self._circuits)

    def requests(self) -> list[ShotRequest]:
        """What to run next, one request per fragment; nothing if the goal is reached.

        Raises:
            PrecisionError: if the precision cannot be reached with the shots allowed; it says what
                can.
        """
        total = self._goal.first(self._circuits) if self._round == 0 else self._next_total()
        if not self.program.fragments or total == 0:
            if self._round == 0:
                self._conclude()
            return []
        floor = min(PILOT_LEAST if self._round == 0 else LEAST, total // self._circuits)
        if self._round == 0:
            spreads = [fragment.weights() for fragment in self.program.fragments]
        else:
            spreads = [_spread(v) for v in self._per_shot]
        parts = [
            spread.sum(keepdims=True) if _drawn(fragment) else spread
            for fragment, spread in zip(self.program.fragments, spreads, strict=True)
        ]
        floors = np.concatenate(
            [
                np.full(len(p), floor * _circuits(f) // len(p))
                for f, p in zip(self.program.fragments, parts, strict=True)
            ]
        )
        dealt = neyman(np.concatenate(parts), total, floors)
        shots = np.split(dealt, np.cumsum([len(part) for part in parts])[:-1])
        self._asked = [
            self._request(k, fragment, mine)
            for k, (fragment, mine) in enumerate(zip(self.program.fragments, shots, strict=True))
        ]
        self._round += 1
        return self._asked

    def take(self, results: Sequence[tuple[ShotTensor, Sequence[Sample]]]) -> None:
        """Take in a round: per fragment its tensor and its variants' samples."""
        fragments = self.program.fragments
        new = [
            tensor.centred(len(asked.variants)) if _drawn(fragment) else tensor
            for fragment, asked, (tensor, _) in zip(fragments, self._asked, results, strict=True)
        ]
        self.shots += sum(tensor.shots for tensor in new)
        now = self._last_shots()
        before = self._taken or [np.zeros_like(one) for one in now]
        self._taken = [one + more for one, more in zip(before, now, strict=True)]
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
            else variances(fragment, asked.variants, samples, gradient)
            for fragment, asked, gradient, tensor, (_, samples) in zip(
                fragments, self._asked, self._gradients, new, results, strict=True
            )
        ]
        if self._round == 1:
            self._variance = self._predicted()

    def _conclude(self) -> None:
        """Values and error bars of what there is."""
        means = [tensor.mean for tensor in self._tensors]
        self.evs = self.program.gluing.values(means)
        self._gradients = self.program.gluing.gradients(means)
        moves = [
            _along(g, tensor) for g, tensor in zip(self._gradients, self._tensors, strict=True)
        ]
        first = sum((np.square(move).sum(axis=0) for move in moves), np.zeros(len(self.evs)))
        beyond = self._beyond(moves)
        self.stds = np.sqrt(np.maximum(first - beyond, first / 3))
        # What is left of it with many shots, where errors no longer multiply.
        self._linear = np.maximum(first - 2 * beyond, first / 3)

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
        return np.asarray(np.square(self.program.gluing.replicas(moved) - straight).mean(axis=0))

    def _predicted(self) -> NDArray[np.float64]:
        """(fragments, observables) variance that the last round has by itself."""
        return np.maximum(predicted_variance(self._per_shot, self._last_shots()), _NOTHING)

    def _last_shots(self) -> list[NDArray[np.int64]]:
        """Per fragment, shots of each variant in the last round; of all if they were drawn."""
        return [
            np.array([asked.shots.sum()])
            if _drawn(fragment)
            else asked.shots[np.argsort(asked.variants)]
            for fragment, asked in zip(self.program.fragments, self._asked, strict=True)
        ]

    def _next_total(self) -> int:
        if not self.program.fragments:
            return 0
        # A variant's own groups of shots say little, the greatest of many such figures even less.
        # So they are put right by the error bars, which all shots of a fragment have a part in.
        worst = int(self.stds.argmax())
        said = predicted_variance(self._per_shot, self._taken).sum(axis=0)
        off = self._linear / np.maximum(said, _NOTHING)
        return self._goal.next(
            rounds=self._round,
            taken=self.shots,
            circuits=self._circuits,
            error=float(self.stds[worst]),
            cost=needed_shots(self._per_shot, 1.0, np.clip(off, 1 / _MOST_OFF, _MOST_OFF)),
        )

    def _request(self, k: int, fragment: ShotFragment, shots: NDArray[np.int64]) -> ShotRequest:
        seed = (*self._seed, self._round, k)
        if not _drawn(fragment):
            variants = np.arange(fragment.num_variants)
            if self._coarse:
                shots = rounded(shots)
                variants = np.argsort(-shots, kind="stable")
            return ShotRequest(variants, shots[variants], seed, report=True)
        total = int(shots.sum())
        draws = min(_MOST_DRAWS, max(2, total // PILOT_LEAST))
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
