"""Scaling to more workers than there are, simulated: arithmetic on what was measured here.

Circuits that know nothing of each other are tasks of equal length, which leave the notebook one
after the other at the pace at which tasks without work do. Cut runs are Q-Dreamer's affair: its
calibrated model deals their work out to any number of workers. Loops, learning and pipelines are
played through: what waited for what on one worker here waits for it on any number of them.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.prediction_request import request_of
from qdreamer_lab.workflow.characterise.replay import fitted, replayed_s
from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_cutting.cut_run import ansatz, last_z

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.trace import Trace

__all__ = [
    "CUT",
    "LEFT_OUT",
    "PLAYED",
    "Simulated",
    "circuits_simulated",
    "cut_simulated",
    "dealt_out_s",
    "played_simulated",
]

PLAYED = ("variational", "learning", "pipeline")
"""The motifs whose runs are played through."""

LEFT_OUT = {
    "state-vector": "strong and weak scaling, since ranks tell each other through this machine's "
    "memory here what would go through a network there, and no network was measured",
    **dict.fromkeys(
        PLAYED,
        "weak scaling, since more of their work is other work and not more of the same (starts go "
        "other ways, a kernel grows as the square of the samples, one step takes all images)",
    ),
}
"""Why there is no curve, or none of weak scaling, by the motif's name."""

CUT = CircuitCutting(qubits=(20,), widths=(11,), reps=2, precision=0.0005, recommend=False)
"""The cut run whose scaling is simulated: its shots can be divided among many workers."""

_ALLOWANCE_S = 2.0
"""For working out how many shots there will be."""


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Wall times on numbers of workers, most of which are more than there are.

    Attributes:
        name: Of the curve.
        workers: How many, the fewest first.
        wall_s: What it would take on each.
        measured_s: What it took where it was measured, by the number of workers.
        assumptions: What it rests on.
        shared_s: What it would take on as many workers as this machine has cores, by the number of
            workers that shared them; such measurements are compared with these.
        cores: Of this machine.
    """

    name: str
    workers: tuple[int, ...]
    wall_s: tuple[float, ...]
    measured_s: Mapping[int, float]
    assumptions: str
    shared_s: Mapping[int, float] = field(default_factory=dict)
    cores: int = 0

    @property
    def off(self) -> dict[int, float]:
        """How far it is from what was measured, in parts of that."""
        simulated = {**dict(zip(self.workers, self.wall_s, strict=True)), **self.shared_s}
        return {
            count: simulated[count] / seconds - 1
            for count, seconds in self.measured_s.items()
            if count in simulated
        }

    def off_text(self) -> str:
        """The same in words."""
        return ", ".join(
            f"{count}{f' (sharing {self.cores} cores)' if count in self.shared_s else ''}: "
            f"{100 * part:+.0f} %"
            for count, part in self.off.items()
        )

    def text(self) -> str:
        """A few lines."""
        points = ", ".join(
            f"{count:,}: {wall:.3g} s"
            for count, wall in zip(self.workers, self.wall_s, strict=True)
        )
        off = self.off_text()
        lines = [f"{self.name}, SIMULATED, seconds by workers: {points}"]
        lines += [f"    against what was measured: {off}"] if off else []
        return "\n".join([*lines, f"    assumes {self.assumptions}"])


def dealt_out_s(tasks: int, task_s: float, interval_s: float, workers: int) -> float:
    """Wall time of equal tasks, each of which goes to the worker that is free first.

    Args:
        tasks: How many.
        task_s: What one takes its worker.
        interval_s: Between one that leaves the notebook and the next.
        workers: How many there are.
    """
    free = [0.0] * min(workers, tasks)
    for number in range(tasks):
        begun = max(free[0], (number + 1) * interval_s)
        heapq.heapreplace(free, begun + task_s)
    return max(free)


def circuits_simulated(
    name: str,
    tasks: int,
    wall_s: float,
    interval_s: float,
    workers: Sequence[int],
    measured: Mapping[str, Mapping[int, float]],
    cores: int,
) -> list[Simulated]:
    """Curves of circuits that know nothing of each other: the same work, and work in proportion.

    Args:
        name: Of the motif.
        tasks: How many there are of its preset.
        wall_s: What they take one worker.
        interval_s: Between one task that leaves the notebook and the next.
        workers: How many there would be.
        measured: Wall times by the number of workers, for `strong` and `weak` scaling.
        cores: Of this machine.
    """
    task_s = max(0.0, wall_s - interval_s) / tasks
    told = (
        f"tasks of {task_s:.3g} s each, as on one worker here; {1 / interval_s:,.0f} tasks/s leave "
        "the notebook; a core for each worker, and no slower where all are busy; no failures"
    )
    curves = []
    for kind, grown in (("strong", False), ("weak", True)):
        known = dict(measured.get(kind, {}))

        def wall(count: int, workers: int, grown: bool = grown) -> float:
            return dealt_out_s(tasks * (count if grown else 1), task_s, interval_s, workers)

        curves.append(
            Simulated(
                name=f"{name}, {kind} scaling",
                workers=tuple(workers),
                wall_s=tuple(wall(count, count) for count in workers),
                measured_s=known,
                assumptions=told,
                shared_s={count: wall(count, cores) for count in known if count > cores},
                cores=cores,
            )
        )
    return curves


def played_simulated(
    name: str,
    trace: Trace,
    interval_s: float,
    workers: Sequence[int],
    measured: Mapping[int, float],
    cores: int,
) -> Simulated:
    """The curve of a motif whose run on one worker is played through on others.

    Args:
        name: Of the motif.
        trace: Of its run on one worker.
        interval_s: Between one task that leaves the notebook and the next.
        workers: How many there would be.
        measured: Wall times of the same work by the number of workers.
        cores: Of this machine.
    """
    pace = fitted(trace, interval_s)
    divided = max((task.portion.items for task in trace.tasks), default=1)
    parts = (
        f"; work that is divided among workers has {divided} parts at most, each of which takes "
        f"{1e3 * pace.fixed_s:.2g} ms besides"
        if divided > 1
        else ""
    )
    return Simulated(
        name=f"{name}, strong scaling",
        workers=tuple(workers),
        wall_s=tuple(replayed_s(trace, count, pace) for count in workers),
        measured_s=dict(measured),
        assumptions=(
            f"the {len(trace.tasks):,} tasks of a run on one worker here, each as long as there, "
            f"waiting for what they waited for there{parts}; {1 / interval_s:,.0f} tasks/s leave "
            f"the notebook; {1e3 * pace.handover_s:.2g} ms between two tasks of a worker, so that "
            "one worker takes as long as it took; a core for each worker, and no slower where all "
            "are busy; no failures"
        ),
        shared_s={count: replayed_s(trace, cores, pace) for count in measured if count > cores},
        cores=cores,
    )


def cut_simulated(
    session: Session, on: str, workers: Sequence[int], measured: Mapping[int, float], cores: int
) -> Simulated:
    """The curve of a cut run with shots, `CUT`, from Q-Dreamer's model of this machine.

    Args:
        session: Where it was measured.
        on: A pilot's name.
        workers: How many there would be.
        measured: Wall times by the number of workers.
        cores: Of this machine: where more workers share them, what these cores take is expected.
    """
    (qubits,), (width,) = CUT.qubits, CUT.widths
    circuit: Any = ansatz(qubits, CUT.reps, CUT.seed, CUT.angle)
    wanted = request_of(circuit, last_z(qubits), CUT.precision, None)
    engine = QDreamer(session).engine
    place, way = engine.place(on), Configuration(width, "sampled", on=on)
    case = engine.case(wanted, way, place, _ALLOWANCE_S)

    def wall(count: int) -> float:
        priced = engine.price_case(
            case, wanted, replace(way, workers=count), replace(place, workers=count)
        )
        return priced.makespan_s

    notes = "; ".join(note.rstrip(".") for note in place.notes)
    slower = "" if math.isclose(place.contention, 1.0) else f" ({place.contention:.2f} times)"
    told = (
        f"{qubits} qubits at width {width}, standard error {CUT.precision:g}; Q-Dreamer's model of "
        f"this machine{f' ({notes})' if notes else ''}; a core for each worker, slowed down by "
        f"others as here{slower}; no failures"
    )
    return Simulated(
        name="circuit-cutting with shots, strong scaling",
        workers=tuple(workers),
        wall_s=tuple(map(wall, workers)),
        measured_s=dict(measured),
        assumptions=told,
        shared_s={count: wall(cores) for count in measured if count > cores},
        cores=cores,
    )
