"""The demo: a circuit far too wide for the machine, cut, run on a pilot, and checked.

Ties the parts together and prints; computes nothing itself.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from qiskit.circuit.library import efficient_su2

from qdreamer_lab.dreamer.advice.limits import Limits
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.reference_values import Reference, reference_values, too_much_for_aer
from qdreamer_lab.workload.circuit.observables import read_observable
from qdreamer_lab.workload.cut.options import check_width
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.qasm import load_circuit
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.advice.recommendation import Recommendation
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.progress import Report

__all__ = ["DemoOptions", "run_demo"]

_LOOK_S = 0.02

_MEASURE_S = 10.0
"""Seconds for measuring the machine: enough for each probe, several times unless it is busy."""

TOLERANCE = 1e-8
"""Largest difference from the reference that counts as agreement."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to run.

    Attributes:
        circuit: An OpenQASM file; None is the 36-qubit EfficientSU2 circuit.
        observables: Texts such as `Z0 Z17`; none means Z on the first qubit, Z on the last,
            and ZZ on the middle pair.
        max_qubits: Greatest width of a fragment; how wide they should be is Q-Dreamer's advice.
        workers: How many workers the pilot gets; None lets the pilot decide.
        in_process: Run the fragments here, without a pilot.
        check: Compare with a reference simulator; None if that takes no more than minutes.
    """

    circuit: Path | None = None
    observables: tuple[str, ...] = ()
    max_qubits: int = 12
    workers: int | None = None
    in_process: bool = False
    check: bool | None = None


def run_demo(options: DemoOptions, out: TextIO = sys.stdout) -> int:
    """Run the demo and print its story.

    Returns:
        0, or 1 if a value differs from the reference by more than 1e-8.

    Raises:
        QDreamerError: On input that cannot be run.
    """
    check_width(options.max_qubits)
    name, circuit = _circuit(options.circuit)
    texts = options.observables or _default_observables(circuit.num_qubits)
    observables = [read_observable(text, circuit.num_qubits) for text in texts]
    _print_header(out, name, circuit, texts)
    progress = _Progress(out)
    with _session(options, out) as session:
        dreamer = QDreamer(session)
        if dreamer.profile().source == "nominal":
            _say(out, "measuring", f"this machine, once, for at most {_MEASURE_S:g} seconds …")
            dreamer.calibrate(_MEASURE_S)
        start = time.perf_counter()
        limits = Limits(max_qubits=options.max_qubits)
        found = _advice(out, dreamer, circuit, observables, limits, start)
        result, predicted = found.runner(found.best, progress=progress)
    progress.finish()
    record = RunRecord.of(result)
    _print_run(out, record)
    _print_phases(out, predicted, record)
    too_much = too_much_for_aer(circuit) if options.check is None else ""
    unchecked = too_much or options.check is False
    reference = None if unchecked else reference_values(circuit, observables)
    status = _print_values(out, texts, np.atleast_1d(result.data.evs), reference)
    if too_much:
        _say(out, "check", f"none, for {too_much}; qdreamer-lab demo --check makes it nonetheless")
    return status


def _circuit(path: Path | None) -> tuple[str, QuantumCircuit]:
    if path is not None:
        return path.name, load_circuit(path)
    circuit = efficient_su2(36, reps=2, entanglement="linear")
    values = np.linspace(0.1, 2.9, circuit.num_parameters)
    return "EfficientSU2, reps 2, linear", circuit.assign_parameters(values)


def _default_observables(num_qubits: int) -> tuple[str, ...]:
    middle = (num_qubits - 1) // 2
    pair = f"Z{middle} Z{middle + 1}" if num_qubits > 1 else "Z0"
    return tuple(dict.fromkeys(("Z0", f"Z{num_qubits - 1}", pair)))


@contextmanager
def _session(options: DemoOptions, out: TextIO) -> Iterator[Any]:
    if options.in_process:
        yield None
        return
    import pilot_kernel
    from pilot_kernel.resource.pilot import PilotState

    with pilot_kernel.Session() as session:
        start = time.perf_counter()
        pilot = session.add_pilot("local://", cores_per_node=options.workers)
        while (
            status := pilot.status
        ).workers < status.wanted and status.state is not PilotState.FAILED:
            time.sleep(_LOOK_S)
        took = _seconds(time.perf_counter() - start)
        _say(out, "pilot", f"{status.workers} workers on this machine, up in {took}")
        yield session


def _advice(
    out: TextIO,
    dreamer: QDreamer,
    circuit: QuantumCircuit,
    observables: list[Any],
    limits: Limits,
    start: float,
) -> Recommendation:
    """The ways to run, with the reasons for the best."""
    found = dreamer.recommend(circuit, observables, limits=limits, in_process=False)
    took = _seconds(time.perf_counter() - start)
    ways = len(found.predictions)
    _say(out, "advice", f"{ways} ways within {limits.max_qubits} qubits weighed in {took}")
    for line in found.explain().splitlines():
        _say(out, "", line)
    return found


class _Progress:
    """Tasks done, on one line that is redrawn on a terminal and printed in full elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()

    def __call__(self, report: Report) -> None:
        bar = "█" * round(20 * report.done / report.total)
        text = f"{bar:░<20} {report.done}/{report.total}"
        if report.row is not None:
            text += f"  fragment {report.row.fragment} in {_seconds(report.row.seconds)}"
        if self._live:
            self._out.write(f"\r\x1b[K{'running':<12} {text}")
            self._out.flush()
        else:
            _say(self._out, "running", text)

    def finish(self) -> None:
        """End the redrawn line."""
        if self._live:
            self._out.write("\n")


def _say(out: TextIO, title: str, text: str) -> None:
    print(f"{title:<12} {text}", file=out, flush=True)


def _print_header(out: TextIO, name: str, circuit: QuantumCircuit, texts: tuple[str, ...]) -> None:
    n = circuit.num_qubits
    entangling = sum(len(i.qubits) > 1 and i.name != "barrier" for i in circuit.data)
    _say(out, "circuit", f"{name}: {n} qubits, {entangling} entangling gates")
    _say(out, "", f"its full state would take 2^{n} x 16 B = {readable(2.0**n * 16)}")
    _say(out, "observables", ", ".join(f"⟨{text}⟩" for text in texts))


def _print_run(out: TextIO, record: RunRecord) -> None:
    spent = record.seconds
    phases = {"prepare": spent.plan_s, "simulate": spent.execute_s, "contract": spent.contract_s}
    times = [f"{phase} {_seconds(seconds)}" for phase, seconds in phases.items()]
    _say(out, "time", ", ".join(times))
    for decision in record.decisions:
        _say(out, "workers", decision.reason)
    print(f"\n  {'fragment':>8} {'qubits':>7} {'states':>7} {'time':>9}  worker", file=out)
    for row in record.fragments:
        where = f"{row.worker} ({row.pilot})" if row.pilot else row.worker or "this process"
        print(
            f"  {row.fragment:>8} {row.width:>7} {row.variants:>7} "
            f"{_seconds(row.seconds):>9}  {where}",
            file=out,
        )


def _print_phases(out: TextIO, predicted: Prediction, record: RunRecord) -> None:
    """What each phase was to take, and what it took."""
    phases = {phase.name: phase.seconds for phase in predicted.phases}
    measured = record.seconds
    rows = {
        "plan": (phases.pop("plan", 0.0), measured.plan_s),
        "contract": (phases.pop("contract", 0.0), measured.contract_s),
        "execute": (sum(phases.values()) + predicted.first_run_s, measured.execute_s),
        "in all": (predicted.now_s, record.makespan_s),
    }
    print(f"\n  {'phase':<12} {'predicted':>10} {'measured':>10}", file=out)
    for name, (before, after) in rows.items():
        print(f"  {name:<12} {_seconds(before):>10} {_seconds(after):>10}", file=out)
    if predicted.first_run_s:
        more = _seconds(predicted.first_run_s)
        print(f"  predicted are {more} for loading code: these workers' first run", file=out)
    low, high = predicted.now_interval
    print(f"  80 % interval of the prediction: {_seconds(low)} to {_seconds(high)}", file=out)


def _print_values(
    out: TextIO,
    texts: tuple[str, ...],
    values: np.ndarray[Any, np.dtype[np.float64]],
    reference: Reference | None,
) -> int:
    column = max(12, *(len(text) for text in texts))
    head = f"\n  {'observable':<{column}} {'value':>15}"
    print(head + (f" {'difference':>11}" if reference else ""), file=out)
    errors = np.abs(values - reference.values) if reference else np.zeros(len(values))
    for text, value, error in zip(texts, values, errors, strict=True):
        line = f"  {text:<{column}} {value:>+15.10f}"
        print(line + (f" {error:>11.1e}" if reference else ""), file=out)
    print(file=out)
    if reference is None:
        return 0
    agrees = bool((errors <= TOLERANCE).all())
    verdict = "agrees" if agrees else "DISAGREES"
    _say(out, "check", f"{verdict} to 1e-8 with Aer's {reference.method} simulator")
    took = _seconds(reference.seconds)
    _say(out, "", f"largest difference {errors.max():.1e}; Aer took {took}")
    return 0 if agrees else 1


def _seconds(value: float) -> str:
    return f"{1000 * value:.1f} ms" if value < 1 else f"{value:.1f} s"
