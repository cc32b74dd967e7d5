"""Our cut runs of the circuits that the reference group cut, and an uncut one to compare with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.advice.run_prediction import estimator_for
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.search import memory
from qdreamer_lab.workflow.circuit_cutting.app import CircuitCutting
from qdreamer_lab.workflow.circuit_cutting.cut_run import ansatz, last_z
from qdreamer_lab.workflow.reproduce.published import ANGLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.circuit_cutting.cut_run import CutRun

__all__ = ["cut_runs", "uncut_seconds"]


def cut_runs(
    session: Session,
    on: str,
    qubits: int,
    widths: Sequence[int],
    precisions: Sequence[float],
    told: Callable[[str], None],
) -> list[CutRun]:
    """Run their circuit at each width, with cuts that are searched for anew each time.

    Args:
        session: Where.
        on: A pilot's name.
        qubits: Of the circuit.
        widths: Greatest widths of its fragments.
        precisions: Standard errors wanted, 0 for exact values.
        told: Takes a line for each run.
    """
    found = []
    for precision in precisions:
        for width in widths:
            told(f"{qubits} qubits at width {width}, {'sampled' if precision else 'exact'}")
            motif = CircuitCutting(
                qubits=(qubits,),
                widths=(width,),
                reps=2,
                angle=ANGLE,
                precision=precision,
                recommend=False,
                on=on,
            )
            memory.forget()
            found += motif.run(session).data
    return found


def uncut_seconds(session: Session, on: str, qubits: int) -> float:
    """What their circuit takes uncut, as a task; the better of two runs.

    Args:
        session: Where.
        on: A pilot's name.
        qubits: Of the circuit, whose state has to fit.
    """
    dreamer = QDreamer(session)
    pub = (ansatz(qubits, 2, 0, ANGLE), last_z(qubits))
    way = dreamer.predict(*pub, on=on)
    estimator = estimator_for(way, session, dreamer.place(on).workers, seed=0)
    took = []
    for _ in range(2):
        begun = time.perf_counter()
        estimator.run([pub]).result()
        took.append(time.perf_counter() - begun)
    return min(took)
