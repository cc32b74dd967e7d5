"""Exercises of the eighth notebook: efficiency, overlapping stages, gradients from shots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.course.functions import Mistake, call, compare, numbers
from qdreamer_lab.course.verdict import NotRight, exercise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["check_efficiency", "check_gradient", "check_pipeline"]


@exercise
def check_efficiency(efficiency: object) -> str:
    """Check a function that says how well more workers are used for the same work.

    Args:
        efficiency: Called with the seconds on one worker, the seconds on several, and how many
            these are; returns 1 where n workers take the n-th part of the time.
    """
    cases = [
        (8.0, 4.0, 2),
        (8.0, 5.0, 2),
        (12.0, 4.0, 4),
        (9.0, 9.0, 3),
        (7.0, 0.9, 8),
        (5.0, 5.0, 1),
    ]
    mistakes = [
        Mistake(
            lambda one, many, n: one / many,
            "That is the speedup: how many times sooner all is over. Two workers that are twice as "
            "fast are used fully, and so are eight that are eight times as fast.",
        ),
        Mistake(
            lambda one, many, n: n * many / one,
            "It is upside down: your figure grows when more time is lost.",
        ),
        Mistake(
            lambda one, many, n: many / one,
            "That is the share of the time that is left. Which share would be ideal on n workers?",
        ),
        Mistake(
            lambda one, many, n: 100 * one / (n * many),
            "Those are percent. The ideal is to be 1.",
        ),
        Mistake(
            lambda one, many, n: 1 - one / (n * many),
            "That is what is lost. What is left of 1 is wanted.",
        ),
        Mistake(
            lambda one, many, n: one / many - n + 1,
            "You subtract the ideal speedup. With eight workers that is another scale than with "
            "two: divide.",
        ),
    ]
    compare(
        efficiency,
        lambda one, many, n: one / (n * many),
        cases,
        mistakes,
        told=lambda one, many, n: f"{one:g} s on one worker and {many:g} s on {n}",
    )
    return "with it runs on different numbers of workers can be compared: 1 is ideal, 1/n no gain."


def _pipelined(stages_s: Sequence[float], batches: int) -> float:
    """When the last batch leaves the last stage, played through batch by batch."""
    free = [0.0] * len(stages_s)  # when each stage is
    for _ in range(batches):
        there = 0.0
        for stage, takes in enumerate(stages_s):
            there = free[stage] = max(there, free[stage]) + takes
    return free[-1]


@exercise
def check_pipeline(overlapped: object) -> str:
    """Check a function that says how long a pipeline takes whose stages overlap.

    Args:
        overlapped: Called with the seconds of each stage for one batch, and with the number of
            batches; each stage has a worker of its own. Returns when the last batch is through.
    """
    cases: list[tuple[list[float], int]] = [
        ([2.0, 5.0, 3.0], 4),
        ([1.0, 1.0], 10),
        ([4.0], 6),
        ([3.0, 1.0, 1.0, 6.0], 1),
        ([6.0, 2.0, 1.0], 3),
        ([1.0, 2.0, 4.0, 8.0], 5),
    ]
    mistakes = [
        Mistake(
            lambda stages, n: n * sum(stages),
            "That is without overlap: nobody begins before the batch in front is through. A "
            "stage's worker is free for the next batch as soon as it has handed one on.",
        ),
        Mistake(
            lambda stages, n: n * max(stages),
            "The slowest stage has that to do. But it waits for the first batch to reach it, and "
            "the last batch goes on after it.",
        ),
        Mistake(
            lambda stages, n: sum(stages) + n * max(stages),
            "You count one batch twice: the first one's way through all stages has its time in "
            "the slowest stage in it.",
        ),
        Mistake(
            lambda stages, n: sum(stages),
            "So long takes a single batch. The others follow it.",
        ),
        Mistake(
            lambda stages, n: (n + len(stages) - 1) * max(stages),
            "You take all stages to be as slow as the slowest. The first batch runs through the "
            "quick ones in less.",
        ),
        Mistake(
            lambda stages, n: sum(stages) + (n - 1) * stages[-1],
            "Batches leave at the pace of the slowest stage, which need not be the last one.",
        ),
        Mistake(
            lambda stages, n: sum(stages) + (n - 1) * stages[0],
            "Batches enter at the pace of the first stage, and then queue before a slower one.",
        ),
    ]
    compare(
        overlapped,
        _pipelined,
        cases,
        mistakes,
        told=lambda stages, n: f"stages of {', '.join(f'{s:g}' for s in stages)} s, {n} batches",
    )
    return (
        "for many batches only the slowest stage counts: give that one more workers, and leave "
        "the others alone."
    )


_NOISE = 2e-3
"""Of a value from some hundred thousand shots."""


class _Energy:
    """A sum of products of waves, as expectation values are, with noise as of shots.

    The noise is a function of the point, so that no verdict is a matter of luck.
    """

    def __init__(self, size: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._weights = random.uniform(0.5, 1.0, (3, size))
        self._phases = random.uniform(0.3, 1.2, (3, size))
        self.calls = 0

    def __call__(self, angles: Any) -> float:
        self.calls += 1
        at = np.asarray(angles, dtype=float)
        noise = float(np.sin(1e7 * np.sum(at * np.arange(1.0, len(at) + 1)))) if len(at) else 0.0
        return float(self._waves(at).prod(axis=1).sum()) + _NOISE * noise

    def _waves(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = 1 + self._weights * np.cos(at + self._phases)
        return found

    def slopes(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """(parameters,) the exact gradient."""
        waves = self._waves(at)
        inner = -self._weights * np.sin(at + self._phases)
        return np.array(
            [(inner[:, k] * np.delete(waves, k, axis=1).prod(axis=1)).sum() for k in range(len(at))]
        )

    def shifted(self, at: NDArray[np.float64], shift: float, factor: float) -> NDArray[np.float64]:
        """(parameters,) factor times the difference of values at both sides of a point."""
        steps = shift * np.eye(len(at))
        ends = [[self._waves(at + s).prod(axis=1).sum() for s in (e, -e)] for e in steps]
        return np.array([factor * (plus - minus) for plus, minus in ends])


_WAYS: list[tuple[Callable[[_Energy, NDArray[np.float64]], Any], str]] = [
    (
        lambda energy, at: energy.shifted(at, np.pi / 2, 1.0),
        "It is twice the gradient: half of the difference of the two values is wanted.",
    ),
    (
        lambda energy, at: -energy.slopes(at),
        "It has the wrong sign: take the value at the larger angle, minus the other one.",
    ),
    (
        lambda energy, at: energy.shifted(at, np.pi, 0.5),
        "With a shift of pi both values are the same: the energy is back after a full turn. "
        "Half of that shift shows most.",
    ),
    (
        lambda energy, at: energy.shifted(at, np.pi / 4, 0.5),
        "With a shift of pi/4 the difference has to be divided by 2 sin(pi/4), not by 2.",
    ),
    (
        lambda energy, at: energy.shifted(at, np.pi / 2, 1 / np.pi),
        "You divide by the way between the two points, as for a small step. The shift rule is no "
        "approximation: for waves the difference is divided by 2 sin(pi/2).",
    ),
    (
        lambda energy, at: np.full(len(at), energy.slopes(at)[0]),
        "All entries are the first one: shift each angle in turn, the others staying as they are.",
    ),
]


@exercise
def check_gradient(gradient: object) -> str:
    """Check a function that finds a gradient from values that come from shots.

    Args:
        gradient: Called with a function of angles, whose values are noisy, and with an array of
            angles; each angle is that of one rotation. Returns the gradient.
    """
    cases = [
        (_Energy(size, seed), np.random.default_rng(seed).uniform(-1.5, 1.5, size))
        for seed, size in enumerate((1, 2, 3, 5))
    ]
    found = []
    for energy, at in cases:
        found.append(numbers(call(gradient, energy, at.copy()), (len(at),)).real)
    wanted = [energy.slopes(at) for energy, at in cases]
    if not _near(found, wanted):
        raise NotRight(_why(cases, found, wanted))
    most = max(energy.calls / len(at) for energy, at in cases)
    if most > 2:
        raise NotRight(
            f"The gradient is right, but takes {most:g} values for each angle. Two are enough."
        )
    return "two values for each angle, both far from the point, so that noise is not blown up."


def _why(
    cases: Sequence[tuple[_Energy, NDArray[np.float64]]],
    found: Sequence[NDArray[np.float64]],
    wanted: Sequence[NDArray[np.float64]],
) -> str:
    for way, reason in _WAYS:
        if _near(found, [way(energy, at) for energy, at in cases]):
            return reason
    off = max(float(np.abs(f - w).max()) for f, w in zip(found, wanted, strict=True))
    if off > 20:
        return (
            f"An entry is off by {off:.3g}: a difference of two noisy values is divided by a "
            "small step, and the noise with it. Take points that are far apart."
        )
    told = ", ".join(f"{value:.3f}" for value in wanted[1])
    mine = ", ".join(f"{value:.3f}" for value in found[1])
    return f"For two angles the gradient should be about ({told}); yours is ({mine})."


def _near(found: Sequence[NDArray[Any]], wanted: Sequence[NDArray[Any]]) -> bool:
    """Whether all are equal up to what noise may do to them."""
    return all(
        np.shape(f) == np.shape(w) and bool(np.abs(f - w).max() <= 4 * _NOISE)
        for f, w in zip(found, wanted, strict=True)
    )
