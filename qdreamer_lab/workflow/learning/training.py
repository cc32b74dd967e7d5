"""The two classifiers over a session: kernel matrices in blocks, training in mini-batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workflow.learning.batch import kernel_entries, values_and_gradient
from qdreamer_lab.workflow.trace import Portion

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from qdreamer_lab.workflow.learning.data import Data
    from qdreamer_lab.workflow.run import Run

__all__ = ["Shared", "kernel_matrix", "predicted", "trained"]

_FIRST, _SECOND, _RATE, _TINY = 0.9, 0.999, 0.2, 1e-8
"""Adam's decays, rate and smallest divisor (Kingma and Ba, arXiv:1412.6980)."""


class Shared:
    """What all tasks of a learner have in common.

    Attributes:
        circuits: How many circuits have been run.
        tasks: How many tasks there were; each gets a seed of its own.
    """

    def __init__(self, run: Run, on: str | None, shots: int, seed: int) -> None:
        self.run = run
        self.options: dict[str, Any] = {"on": on}
        self.shots = shots
        self.seed = seed
        self.circuits = 0
        self.tasks = 0

    def seed_of_next(self) -> int:
        """A seed for the next task."""
        self.tasks += 1
        return int(np.random.SeedSequence((self.seed, self.tasks)).generate_state(1)[0])

    def workers(self) -> int:
        """How many workers share a mini-batch."""
        found = self.run.session.candidates(self.options["on"])
        return max(1, sum(pilot.workers for pilot in found))


def kernel_matrix(
    shared: Shared,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64] | None,
    reps: int,
    batch: int,
) -> NDArray[np.float64]:
    """The overlaps of all rows with all columns, in batches of pairs.

    Args:
        shared: Where and how circuits are run.
        rows: Samples x features.
        columns: Likewise; None takes the rows themselves, and each pair once.
        reps: Of the feature map.
        batch: Pairs in a task.

    Returns:
        Rows x columns; the diagonal of the rows with themselves is 1.
    """
    others = rows if columns is None else columns
    every = np.ones((len(rows), len(others)))
    pairs = np.argwhere(np.triu(every, 1) if columns is None else every)
    works = [
        shared.run.submit(
            "quantum",
            kernel_entries,
            *(rows[some[:, 0]], others[some[:, 1]], reps, shared.shots, shared.seed_of_next()),
            options={**shared.options, "name": "kernel"},
        )
        for some in (pairs[at : at + batch] for at in range(0, len(pairs), batch))
    ]
    shared.circuits += len(pairs)
    made = np.eye(len(rows), len(others)) if columns is None else np.empty((len(rows), len(others)))
    if len(pairs):
        made[tuple(pairs.T)] = np.concatenate(shared.run.results(works))
    return np.maximum(made, made.T) if columns is None else made


def trained(
    shared: Shared, data: Data, form: tuple[int, int], steps: int, batch: int, weights: int
) -> tuple[NDArray[np.float64], list[float]]:
    """Train a classifier by Adam on mini-batches that the workers share.

    Args:
        shared: Where and how circuits are run.
        data: Samples with labels.
        form: Repetitions of the feature map, and of layers with weights.
        steps: How many steps.
        batch: Samples of a step.
        weights: How many weights there are.

    Returns:
        The weights, and the mean squared error of the mini-batch at each step.
    """
    draws = np.random.default_rng([shared.seed, 1])
    point = draws.uniform(-np.pi, np.pi, weights)
    first, second = np.zeros(weights), np.zeros(weights)
    losses = []
    for step in range(1, steps + 1):
        chosen = draws.choice(len(data.train), min(batch, len(data.train)), replace=False)
        labels = data.train_labels[chosen]
        values, gradient = _shared_out(shared, data.train[chosen], labels, point, form)
        with shared.run.doing("classical"):
            gradient = gradient / len(chosen)
            first = _FIRST * first + (1 - _FIRST) * gradient
            second = _SECOND * second + (1 - _SECOND) * gradient**2
            mean, spread = first / (1 - _FIRST**step), second / (1 - _SECOND**step)
            point = point - _RATE * mean / (np.sqrt(spread) + _TINY)
            losses.append(float(np.mean((values - labels) ** 2)))
    return point, losses


def predicted(
    shared: Shared,
    samples: NDArray[np.float64],
    weights: NDArray[np.float64],
    form: tuple[int, int],
) -> NDArray[np.int64]:
    """The classes, -1 or 1, that a classifier sees in samples."""
    values, _ = _shared_out(shared, samples, None, weights, form)
    return np.where(values < 0, -1, 1)


def _shared_out(
    shared: Shared,
    samples: NDArray[np.float64],
    labels: NDArray[np.int64] | None,
    weights: NDArray[np.float64],
    form: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and summed gradient; each worker takes a part of the samples."""
    points = 1 if labels is None else 1 + 2 * len(weights)
    parts = np.array_split(np.arange(len(samples)), min(shared.workers(), len(samples)))
    works = [
        shared.run.submit(
            "quantum",
            values_and_gradient,
            samples[part],
            None if labels is None else labels[part],
            *(weights, form, shared.shots, shared.seed_of_next()),
            options={**shared.options, "name": "classify"},
            portion=Portion(len(part), len(part) * points),
        )
        for part in parts
    ]
    shared.circuits += len(samples) * points
    found = shared.run.results(works)
    return np.concatenate([values for values, _ in found]), sum(each for _, each in found)
