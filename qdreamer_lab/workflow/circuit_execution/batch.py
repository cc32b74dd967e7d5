"""What runs on a worker: some of the circuits, made, run and averaged there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.workflow.circuit_execution.circuits import (
    angles,
    circuit,
    mean_z_of_counts,
)
from qdreamer_lab.workflow.circuits_here import mean_z, run_circuits
from qdreamer_lab.workflow.timed_call import Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Circuits", "prepare", "run_batch"]


@dataclass(frozen=True)
class Circuits:
    """What the circuits are like.

    Attributes:
        qubits: Qubits of each.
        depth: Layers of random gates.
        points: Points that each is run at.
        shots: Shots of each; 0 asks for expectation values.
        seed: Of gates, points and shots.
    """

    qubits: int
    depth: int
    points: int
    shots: int
    seed: int

    def pub(self, number: int) -> tuple[Any, ...]:
        """One circuit with its points, as a primitive takes it."""
        made = circuit(self.qubits, self.depth, (self.seed, number), free=self.points > 1)
        points = angles(self.points, self.qubits, (self.seed, number, 1))
        values = (points,) if self.points > 1 else ()
        if self.shots:
            made.measure_all()
            return (made, *values)
        return (made, mean_z(self.qubits), *values)

    def part(self, number: int, points: slice) -> tuple[Any, ...]:
        """The same, at some of the points only."""
        whole = self.pub(number)
        return whole if self.points == 1 else (*whole[:-1], whole[-1][points])


def run_batch(circuits: Circuits, tasks: Sequence[tuple[int, slice]], device: str) -> Split:
    """Make circuits, run them here, and take means.

    Args:
        circuits: What they are like.
        tasks: Which of them, and at which points.
        device: "CPU" or "GPU"; a QPU's worker uses its QPU.

    Returns:
        The mean of Z over all qubits at each point, an array for each of `tasks`; all but running
        is classical work.
    """
    means, quantum_s = [], 0.0
    begun = time.perf_counter()
    for number, points in tasks:
        pub = circuits.part(number, points)
        entropy = np.random.SeedSequence((circuits.seed, number, points.start))
        seed = int(entropy.generate_state(1)[0])
        result, seconds = run_circuits([pub], shots=circuits.shots, seed=seed, device=device)
        quantum_s += seconds
        means.append(_means(result[0], circuits))
    return Split(means, {"classical": time.perf_counter() - begun - quantum_s})


def _means(result: Any, circuits: Circuits) -> NDArray[np.float64]:
    """The mean of Z at each point."""
    if not circuits.shots:
        return np.reshape(result.data.evs, -1)
    bits = result.data.meas
    flat = bits.reshape(bits.size)
    return np.array(
        [mean_z_of_counts(flat[k].get_counts(), circuits.qubits) for k in range(bits.size)]
    )


def prepare() -> None:
    """Run a small circuit, so that all that takes long to load is there."""
    run_batch(Circuits(qubits=2, depth=1, points=1, shots=0, seed=0), [(0, slice(0, 1))], "CPU")
