"""Rounds of shots for one bound circuit: what is run, and what came of it.

`Rounds` is what all have in common, whatever is wanted of the shots; `ShotRounds` wants expectation
values. How many shots go where is the schedule's to say. Nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.sampled.allocation import rounded, unseen_variance
from qdreamer_lab.workload.sampled.schedule import Schedule, error_bars
from qdreamer_lab.workload.sampled.shot_goal import PILOT_LEAST
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.variance import variances
from qdreamer_lab.workload.sampled.work_sizes import REPLICAS, is_drawn, num_circuits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.sampled.lower import SampledProgram, ShotProgram
    from qdreamer_lab.workload.sampled.shot_goal import Goal
    from qdreamer_lab.workload.sampled.shot_tensor import Sample, ShotTensor
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Rounds", "ShotRounds"]

_MOST_DRAWS = 4096
"""Variants drawn in one round of a fragment of which a random selection is run, at most."""


class Rounds:
    """Shots of one bound circuit. What is wanted of them is for classes made of this one to say.

    Args:
        program: The circuit, lowered.
        goal: When to stop.
        seed: Entropy; the same seed gives the same shots on any workers.
        coarse: Give many variants equal numbers of shots, and neighbouring places in a request, for
            devices that take them in one job.

    Attributes:
        program: The circuit, lowered.
        tensors: Of its fragments, as all rounds so far have them; none before the first.

    Raises:
        PrecisionError: If the shots given are too few for the circuits there are.
    """

    def __init__(
        self, program: ShotProgram, goal: Goal, seed: tuple[int, ...], *, coarse: bool = False
    ) -> None:
        self.program = program
        self.tensors: list[ShotTensor] = []
        self._coarse = coarse
        self._seed = seed
        self._asked: list[ShotRequest] = []
        self._shot_sizes: list[NDArray[np.float64]] = []
        weights = [fragment.weights() for fragment in program.fragments]
        self._schedule = Schedule(
            goal,
            [
                weight.sum(keepdims=True) if _is_drawn(fragment) else weight
                for fragment, weight in zip(program.fragments, weights, strict=True)
            ],
            [num_circuits(fragment.num_variants) for fragment in program.fragments],
        )

    @property
    def shots(self) -> int:
        """Shots taken so far."""
        return self._schedule.shots

    def requests(self) -> list[ShotRequest]:
        """What to run next, one request per fragment; nothing if the goal is reached.

        Raises:
            PrecisionError: If the precision cannot be reached with the shots allowed; it says what
                can.
        """
        number = self._schedule.rounds
        dealt = self._schedule.deal(*self._errors())
        if not dealt:
            if number == 0:
                self._conclude()
            return []
        self._asked = [
            self._request((*self._seed, number, k), fragment, mine)
            for k, (fragment, mine) in enumerate(zip(self.program.fragments, dealt, strict=True))
        ]
        return self._asked

    def take(self, results: Sequence[tuple[ShotTensor, Sequence[Sample]]]) -> None:
        """Take in a round: per fragment its tensor and its variants' samples."""
        fragments = self.program.fragments
        new = [
            tensor.centred(len(asked.variants)) if _is_drawn(fragment) else tensor
            for fragment, asked, (tensor, _) in zip(fragments, self._asked, results, strict=True)
        ]
        taken = sum(tensor.shots for tensor in new)
        last = self._last_shots()
        share = self._schedule.took(last, taken).tolist()
        sizes = [1 / np.maximum(each, 1) for each in last]
        if self.tensors:
            merged = zip(self.tensors, new, share, strict=True)
            self.tensors = [old.mixed(fresh, mine) for old, fresh, mine in merged]
            each = zip(self._shot_sizes, sizes, share, strict=True)
            sizes = [(1 - mine) ** 2 * old + mine**2 * fresh for old, fresh, mine in each]
        else:
            self.tensors = new
        self._shot_sizes = sizes
        self._conclude()
        self._schedule.learn(
            [
                self._drawn_variance(place, tensor)[:, None] * tensor.shots
                if _is_drawn(fragment)
                else self._variances(place, asked.variants, samples)
                for place, (fragment, asked, tensor, (_, samples)) in enumerate(
                    zip(fragments, self._asked, new, results, strict=True)
                )
            ]
        )

    def _one_shot(self, place: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Variants of a fragment that were run, and how much one shot of each moves their mean."""
        fragment, sizes = self.program.fragments[place], self._shot_sizes[place]
        if not _is_drawn(fragment):
            return np.arange(fragment.num_variants), sizes
        weights = fragment.weights()
        drawn = np.unique(self._asked[place].variants)
        return drawn, sizes[0] * weights.sum() / weights[drawn]

    def _errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Two of (values,): standard errors so far, variances without errors that multiply."""
        raise NotImplementedError

    def _conclude(self) -> None:
        """Find out what the tensors that there are say."""
        raise NotImplementedError

    def _drawn_variance(self, place: int, tensor: ShotTensor) -> NDArray[np.float64]:
        """(values,) variance from one fragment's tensor, of which a random selection was run."""
        raise NotImplementedError

    def _variances(
        self, place: int, variants: NDArray[np.int64], samples: Sequence[Sample]
    ) -> NDArray[np.float64]:
        """(values, variants) what one shot of each variant of a fragment adds to the variance."""
        raise NotImplementedError

    def _last_shots(self) -> list[NDArray[np.int64]]:
        """Per fragment, shots of each variant in the last round; of all if they were drawn."""
        return [
            np.array([asked.shots.sum()])
            if _is_drawn(fragment)
            else asked.shots[np.argsort(asked.variants)]
            for fragment, asked in zip(self.program.fragments, self._asked, strict=True)
        ]

    def _request(
        self, seed: tuple[int, ...], fragment: ShotFragment, shots: NDArray[np.int64]
    ) -> ShotRequest:
        if not _is_drawn(fragment):
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


class ShotRounds(Rounds):
    """Shots of one bound circuit for expectation values; made as `Rounds` are.

    Attributes:
        evs: (observables,) current estimate; NaN before the first round.
        stds: (observables,) its standard errors.
    """

    def __init__(
        self, program: SampledProgram, goal: Goal, seed: tuple[int, ...], *, coarse: bool = False
    ) -> None:
        super().__init__(program, goal, seed, coarse=coarse)
        self._gluing = program.gluing
        self.evs = np.full(self._gluing.num_observables, np.nan)
        self.stds = np.full(self._gluing.num_observables, np.nan)
        self._gradients: list[NDArray[np.float64]] = []
        self._linear = np.zeros(self._gluing.num_observables)
        self._unseen = np.zeros(self._gluing.num_observables)

    def take(self, results: Sequence[tuple[ShotTensor, Sequence[Sample]]]) -> None:
        """Take in a round; shots that all read the same do not make a value certain."""
        self._unseen = np.zeros(self._gluing.num_observables)
        super().take(results)
        self.stds = np.sqrt(np.square(self.stds) + self._unseen)

    @property
    def prior_variance(self) -> float:
        """Variance of the worst observable's one shot, as far as is known before any."""
        return self._gluing.prior_variance()

    def _errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.stds, self._linear

    def _drawn_variance(self, place: int, tensor: ShotTensor) -> NDArray[np.float64]:
        return np.asarray(np.square(_along(self._gradients[place], tensor)).sum(axis=0))

    def _variances(
        self, place: int, variants: NDArray[np.int64], samples: Sequence[Sample]
    ) -> NDArray[np.float64]:
        fragment = self.program.fragments[place]
        found, most = variances(fragment, variants, samples, self._gradients[place])
        hidden = unseen_variance(most, self._shot_sizes[place])
        self._unseen = np.maximum(self._unseen, hidden)
        return found

    def _conclude(self) -> None:
        """Values and error bars of what there is."""
        means = [tensor.mean for tensor in self.tensors]
        self.evs = self._gluing.values(means)
        self._gradients = self._gluing.gradients(means)
        moves = [_along(g, tensor) for g, tensor in zip(self._gradients, self.tensors, strict=True)]
        first = sum((np.square(move).sum(axis=0) for move in moves), np.zeros(len(self.evs)))
        self.stds, self._linear = error_bars(first, self._beyond(moves))

    def _beyond(self, moves: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(observables,) variance from several fragments erring together.

        Errors of two fragments multiply. The variance along the derivatives counts that twice,
        because the derivatives carry the errors of the other fragments; so it is subtracted once.
        """
        if len(moves) < 2:
            return np.zeros(len(self.evs))
        rng = np.random.default_rng((*self._seed, self._schedule.rounds))
        straight = self.evs
        moved = []
        for tensor, move in zip(self.tensors, moves, strict=True):
            draws = rng.normal(size=(REPLICAS, len(move)))
            flat = draws @ tensor.deviations.reshape(len(move), -1)
            moved.append(tensor.mean + flat.reshape(REPLICAS, *tensor.mean.shape))
            straight = straight + draws @ move
        return np.asarray(np.square(self._gluing.replicas(moved) - straight).mean(axis=0))


def _along(gradient: NDArray[np.float64], tensor: ShotTensor) -> NDArray[np.float64]:
    """(groups, observables): how the deviations of a tensor move the values."""
    size = gradient.shape[1] * gradient.shape[2]
    flat = tensor.deviations.reshape(len(tensor.deviations), size)
    return np.asarray(flat @ gradient.reshape(len(gradient), size).T)


def _is_drawn(fragment: ShotFragment) -> bool:
    return is_drawn(fragment.num_variants)
