"""Mini-app 3, medium coupling: wide circuits in fragments, predicted against measured."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from qdreamer_lab.dreamer.advice.limits import Limits
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.circuit_cutting.cut_run import CutRun, Way, ansatz, last_z, run_cut
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Curve, Outcome
from qdreamer_lab.workflow.settings import setting_text
from qdreamer_lab.workflow.steps.fragments import FragmentSession
from qdreamer_lab.workflow.steps.store import default_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qdreamer_lab.workflow.run import Run

__all__ = ["CircuitCutting"]

_PRECISION = 1 / 64
"""Standard error wanted on a device where none is asked for."""


@dataclass(frozen=True, kw_only=True)
class CircuitCutting(Motif):
    """EfficientSU2 circuits cut as Q-Dreamer recommends, and at given widths; Z on the last qubit.

    Attributes:
        qubits: Qubits of each circuit.
        circuits: How many circuits there are of each number of qubits.
        widths: Most qubits of a fragment; one run for each that is narrower than the circuit.
        reps: Repetitions of the circuit's layers.
        angle: That of all rotations, in radians; none draws them.
        precision: Standard error wanted; 0 asks for exact values.
        recommend: Whether Q-Dreamer's own way is run, too, within the greatest width.
        reuse: Whether finished fragments are kept in the store and taken from there.
    """

    name: ClassVar[str] = "circuit-cutting"
    title: ClassVar[str] = "Circuit cutting"
    grows: ClassVar[tuple[str, ...]] = ("circuits",)
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "qubits": (30, 33, 34, 36),
            "widths": (12, 10, 8, 6, 4, 2),
            "reps": 2,
            "angle": 0.4,
        }
    }

    qubits: tuple[int, ...] = (32,)
    circuits: int = 1
    widths: tuple[int, ...] = (20, 16)
    reps: int = 4
    angle: float | None = None
    precision: float = 0.0
    recommend: bool = True
    reuse: bool = False

    def __post_init__(self) -> None:
        self.at_least(qubits=2, circuits=1, widths=1, reps=1, precision=0, seed=0)
        if not self.qubits or not self.widths:
            raise MotifError(f"{self.name}: qubits and widths: at least one number each")
        if 0 < self.precision < 1e-4:
            raise MotifError(f"{self.name}: precision={self.precision}: 0 is exact, else 1e-4 on")
        if self.angle is not None and not math.isfinite(self.angle):
            raise MotifError(f"{self.name}: angle={self.angle}: a number of radians, or none")
        if not self.recommend and min(self.qubits) <= min(self.widths):
            raise MotifError(
                f"{self.name}: widths={setting_text(self.widths)}: none is narrower than a circuit "
                f"of {min(self.qubits)} qubits, and recommend=no leaves no other way"
            )

    def warm_up(self) -> Callable[[], Any]:
        """Loads what simulates fragments."""
        return _load

    def work(self, run: Run) -> Outcome:
        """Predict, run, and set both side by side."""
        with run.doing("classical"):
            dreamer = QDreamer(run.session)
        fragments = FragmentSession(run, default_store() if self.reuse else None)
        runs = []
        for qubits, number in itertools.product(self.qubits, range(self.circuits)):
            with run.doing("classical"):
                pub = (ansatz(qubits, self.reps, self.seed + number, self.angle), last_z(qubits))
            for way in self._ways(run, dreamer, pub):
                run.say(f"{qubits} qubits: {way.prediction.title}")
                done = run_cut(
                    *(run, fragments, pub, way),
                    number=number,
                    workers=dreamer.place(self.on).workers,
                    seed=self.seed,
                    precision=self.precision or (_PRECISION if way.prediction.shots else 0.0),
                )
                runs.append(done)
        return self._outcome(runs, fragments)

    def _ways(self, run: Run, dreamer: QDreamer, pub: tuple[Any, Any]) -> Iterator[Way]:
        """Each way to be run, the recommended one first."""
        if self.recommend:
            begun = time.perf_counter()
            with run.doing("classical"):
                found = dreamer.recommend(
                    *pub,
                    precision=self.precision or None,
                    limits=Limits(max_qubits=max(self.widths)),
                    on=self.on,
                    in_process=False,
                )
            yield Way(max(self.widths), found.best, time.perf_counter() - begun, True)
        sampled = bool(self.precision) or dreamer.place(self.on).backend is not None
        for width in (width for width in self.widths if width < pub[0].num_qubits):
            begun = time.perf_counter()
            with run.doing("classical"):
                predicted = dreamer.predict(
                    *pub,
                    max_qubits=width,
                    mode="sampled" if sampled else "exact",
                    on=self.on,
                    precision=self.precision or _PRECISION,
                )
            yield Way(width, predicted, time.perf_counter() - begun, False)

    def _outcome(self, runs: list[CutRun], fragments: FragmentSession) -> Outcome:
        ratios = [abs(np.log(one.measured_s / one.predicted_s)) for one in runs]
        values: dict[tuple[int, int], list[float]] = {}
        for one in runs:
            values.setdefault((one.qubits, one.number), []).append(one.value)
        spread = max(np.ptp(found) for found in values.values())
        curves = [
            Curve(
                name=f"{qubits} qubits, {what}",
                x=tuple(float(one.width) for one in mine),
                y=tuple(getattr(one, f"{what}_s") for one in mine),
                x_title="qubits of a fragment",
                y_title="seconds",
            )
            for qubits in dict.fromkeys(self.qubits)
            if (
                mine := [
                    one
                    for one in runs
                    if one.qubits == qubits and not (one.recommended or one.number)
                ]
            )
            for what in ("predicted", "measured")
        ]
        notes = []
        if fragments.reused:
            notes.append(f"{fragments.reused} fragments were reused, {fragments.ran} ran")
        return Outcome(
            values={
                "value of the first": runs[0].value,
                "spread of values": float(spread),
                "factor between predicted and measured": float(np.exp(np.mean(ratios))),
            },
            rows=tuple(one.row() for one in runs),
            curves=tuple(curves),
            notes=tuple(notes),
            data=tuple(runs),
        )


def _load() -> None:
    import qdreamer_lab.workload.fragment.simulate  # noqa: F401
