"""Mini-app 1, loose coupling: circuits that know nothing of each other, on any mix of pilots."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.circuit_execution.circuits import (
    angles,
    circuit,
    mean_z,
    mean_z_of_counts,
)
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workflow.run import Run, Work

__all__ = ["CircuitExecution"]

_AHEAD = 2
"""Batches that each of several places has at a time: one runs, one waits."""


@dataclass(frozen=True, kw_only=True)
class CircuitExecution(Motif):
    """Many random circuits, or one at many points; the mean of Z of each.

    Attributes:
        circuits: How many circuits.
        points: At how many points each is run; from 2 on it has a layer of free rotations.
        qubits: Qubits of each.
        depth: Layers of random gates.
        shots: Shots of each; 0 asks for expectation values, exact where circuits are simulated.
        batch: Circuits that are handed over together where there are several places.
        on: A kind of worker or a pilot's name, or several with commas, which share the work.
    """

    name: ClassVar[str] = "circuit-execution"
    title: ClassVar[str] = "Circuit execution"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"circuits": 1024, "qubits": 25, "depth": 1}
    }

    circuits: int = 96
    points: int = 1
    qubits: int = 18
    depth: int = 6
    shots: int = 0
    batch: int = 8

    def __post_init__(self) -> None:
        self.at_least(circuits=1, points=1, qubits=1, depth=1, shots=0, batch=1)
        if "" in self.places():
            raise MotifError(f"{self.name}: on={self.on}: places with commas between them")

    def places(self) -> tuple[str | None, ...]:
        """Where work goes: each of the places in `on`."""
        return (None,) if self.on is None else tuple(part.strip() for part in self.on.split(","))

    def work(self, run: Run) -> Outcome:
        """Run all circuits; values have the shape circuits x points."""
        with run.doing("classical"):
            pubs = [self.pub(number) for number in range(self.circuits)]
        places = self.places()
        if len(places) == 1:
            work = self._submit(run, pubs, places[0], 0)
            values, shares = self._means(work.result()), Counter({places[0]: len(pubs)})
        else:
            values, shares = self._shared_out(run, pubs, places)
        spread = {f"circuits on {place}": shares[place] for place in places if place is not None}
        return Outcome(
            values={
                "circuits": self.circuits * self.points,
                "mean of Z": float(values.mean()),
                **spread,
            },
            data=values,
        )

    def pub(self, number: int) -> tuple[Any, ...]:
        """One circuit with its points, as a primitive takes it."""
        made = circuit(self.qubits, self.depth, (self.seed, number), free=self.points > 1)
        points = angles(self.points, self.qubits, (self.seed, number, 1))
        if self.shots:
            made.measure_all()
            return (made, points) if self.points > 1 else (made,)
        return (
            (made, mean_z(self.qubits), points) if self.points > 1 else (made, mean_z(self.qubits))
        )

    def _submit(self, run: Run, pubs: list[Any], place: str | None, first: int) -> Work:
        how = {"shots": self.shots} if self.shots else {}
        return run.circuits(pubs, on=place, seed=self.seed + first, name=self.name, **how)

    def _shared_out(
        self, run: Run, pubs: list[Any], places: tuple[str | None, ...]
    ) -> tuple[NDArray[np.float64], Counter[str | None]]:
        """Each place takes the next batch when it has done one: a fast one does more."""
        left = deque(range(0, len(pubs), self.batch))
        values = np.empty((self.circuits, self.points))
        under_way: dict[Work, tuple[int, str | None]] = {}
        shares: Counter[str | None] = Counter()

        def next_one(place: str | None) -> None:
            if left:
                first = left.popleft()
                work = self._submit(run, pubs[first : first + self.batch], place, first)
                under_way[work] = (first, place)

        for place in places * _AHEAD:
            next_one(place)
        while under_way:
            work = next(run.as_completed(under_way))
            first, place = under_way.pop(work)
            next_one(place)
            found = self._means(work.result())
            values[first : first + len(found)] = found
            shares[place] += len(found)
        return values, shares

    def _means(self, result: Any) -> NDArray[np.float64]:
        """The mean of Z, circuits x points, from the result of a primitive."""
        if not self.shots:
            return np.array([np.reshape(pub.data.evs, self.points) for pub in result])
        return np.array([self._sampled(pub.data.meas) for pub in result])

    def _sampled(self, bits: Any) -> list[float]:
        flat = bits.reshape(self.points)
        return [mean_z_of_counts(flat[k].get_counts(), self.qubits) for k in range(self.points)]
