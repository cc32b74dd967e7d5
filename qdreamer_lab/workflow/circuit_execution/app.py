"""Mini-app 1, loose coupling: circuits that know nothing of each other, on any mix of pilots."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pilot_kernel.task.notebook.placement import on_gpu
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.circuit_execution.batch import Circuits, prepare, run_batch
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workflow.run import Run, Work

__all__ = ["CircuitExecution"]

_AHEAD = 2
"""Batches of each worker where several places share the work: one runs, one waits."""


@dataclass(frozen=True, kw_only=True)
class CircuitExecution(Motif):
    """Many random circuits, or one at many points; the mean of Z of each.

    Attributes:
        circuits: How many circuits.
        points: At how many points each is run; from 2 on it has a layer of free rotations.
        qubits: Qubits of each.
        depth: Layers of random gates.
        shots: Shots of each; 0 asks for expectation values, exact where circuits are simulated.
        batch: Circuits, or points of one, in a task.
        on: A kind of worker or a pilot's name, or several with commas, which share the work.
    """

    name: ClassVar[str] = "circuit-execution"
    title: ClassVar[str] = "Circuit execution"
    grows: ClassVar[tuple[str, ...]] = ("circuits",)
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"circuits": 1024, "qubits": 25, "depth": 1, "batch": 4}
    }

    circuits: int = 64
    points: int = 1
    qubits: int = 18
    depth: int = 4
    shots: int = 0
    batch: int = 8

    def __post_init__(self) -> None:
        self.at_least(circuits=1, points=1, qubits=1, depth=1, shots=0, batch=1, seed=0)
        if "" in self.places():
            raise MotifError(f"{self.name}: on={self.on}: places with commas between them")

    def places(self) -> tuple[str | None, ...]:
        """Where work goes: each of the places in `on`."""
        return (None,) if self.on is None else tuple(part.strip() for part in self.on.split(","))

    def memory_bytes(self) -> int:
        """A state and what it takes to measure it."""
        return int(2 * 16 * 2**self.qubits)

    def warm_up(self) -> Callable[[], Any]:
        """Loads what runs circuits."""
        return prepare

    def work(self, run: Run) -> Outcome:
        """Run all circuits; values have the shape circuits x points."""
        left = deque(self._batches())
        values = np.empty((self.circuits, self.points))
        shares: Counter[str | None] = Counter()
        under_way: dict[Work, tuple[list[tuple[int, slice]], str | None]] = {}
        places = self.places()

        def submit_next(place: str | None) -> None:
            if left:
                batch = left.popleft()
                under_way[self._submit(run, batch, place)] = (batch, place)

        for place in places:
            # One place has all at once, and its workers take them as they can. Of several each
            # takes the next when it has done one, so that a fast one does more.
            for _ in range(len(left) if len(places) == 1 else self._ahead(run, place)):
                submit_next(place)
        while under_way:
            for work in run.as_completed(list(under_way)):
                batch, place = under_way.pop(work)
                submit_next(place)
                for (number, points), means in zip(batch, work.result(), strict=True):
                    values[number, points] = means
                    shares[place] += len(means)
                if left:
                    break  # what was submitted just now may be over before the others
        return self._outcome(values, shares)

    def _batches(self) -> list[list[tuple[int, slice]]]:
        """Circuits with stretches of their points, a task's worth in each."""
        size = min(self.batch, self.points)
        parts = [
            (number, slice(at, min(at + size, self.points)))
            for number in range(self.circuits)
            for at in range(0, self.points, size)
        ]
        together = max(1, self.batch // self.points)
        return [parts[at : at + together] for at in range(0, len(parts), together)]

    def _ahead(self, run: Run, place: str | None) -> int:
        return _AHEAD * max(1, sum(pilot.workers for pilot in run.session.candidates(place)))

    def _submit(self, run: Run, batch: list[tuple[int, slice]], place: str | None) -> Work:
        circuits = Circuits(self.qubits, self.depth, self.points, self.shots, self.seed)
        device = "GPU" if on_gpu(place, run.session.candidates(place)) else "CPU"
        options = {"on": place, "name": self.name}
        return run.submit("quantum", run_batch, circuits, batch, device, options=options)

    def _outcome(self, values: Any, shares: Counter[str | None]) -> Outcome:
        spread = {f"circuits on {place}": n for place, n in shares.items() if place is not None}
        return Outcome(
            values={
                "circuits": self.circuits * self.points,
                "mean of Z": float(values.mean()),
                **spread,
            },
            data=values,
        )
