"""From a circuit to ranked ways to run it: which are looked at, and which are better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.configuration import MODES, Configuration
from qdreamer_lab.dreamer.recommendation import Limits, Recommendation, Refused
from qdreamer_lab.dreamer.wanted import request_of
from qdreamer_lab.errors import (
    InfeasiblePlanError,
    MemoryLimitError,
    PlanError,
    PrecisionError,
    QDreamerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.dreamer import QDreamer
    from qdreamer_lab.dreamer.prediction import Prediction

__all__ = ["recommended", "widths_for"]

_ALLOWANCE_S = 0.02
"""How long a candidate may work on the variances of sampled mode."""

_PARTS = (1.0, 2 / 3, 0.5, 0.4, 1 / 3, 0.25)
"""Widths to look at, as parts of the circuit's."""

_PRECISION = 1 / 64


def recommended(
    dreamer: QDreamer,
    circuit: QuantumCircuit,
    observables: Any,
    precision: float | None,
    limits: Limits | None,
    on: str | None,
) -> Recommendation:
    """`QDreamer.recommend`."""
    limits = Limits() if limits is None else limits
    wanted = request_of(circuit, observables, _PRECISION if precision is None else precision)
    place = dreamer.place(on)
    found: list[Prediction] = []
    over: list[tuple[float, str, Prediction]] = []
    refused: list[Refused] = []
    seen: set[object] = set()
    most = limits.max_qubits
    if place.backend is not None:
        fits = int(place.backend.num_qubits)
        most = fits if most is None else min(most, fits)
    for mode in MODES if place.backend is None else ("sampled",):
        for width in widths_for(wanted.num_qubits, most):
            configuration = Configuration(width, mode, on=on, workers=place.workers)
            try:
                one = dreamer.price(wanted, configuration, place, _ALLOWANCE_S)
            except (MemoryLimitError, InfeasiblePlanError, PlanError, PrecisionError) as error:
                refused.append(Refused(configuration, str(error)))
                continue
            key = _sameness(one)
            if key in seen:
                continue
            seen.add(key)
            broken = limits.excess(one)
            if broken:
                worst, reason = max(broken)
                over.append((worst, reason, one))
                refused.append(Refused(configuration, reason))
            else:
                found.append(one)
    if not found:
        raise QDreamerError(_nothing(over, refused, wanted.num_qubits))
    ranked = tuple(sorted(found, key=lambda one: one.makespan_s))
    runner = _runner(dreamer, circuit, observables, wanted.request.precision, limits)
    return Recommendation(ranked, limits, tuple(refused), wanted.num_qubits, runner)


def widths_for(num_qubits: int, most: int | None) -> list[int]:
    """A handful of widths, the whole circuit first where that is allowed."""
    top = num_qubits if most is None else min(num_qubits, int(most))
    found = {max(min(2, num_qubits), round(part * num_qubits)) for part in _PARTS}
    return sorted({width for width in found if width <= top} | {top}, reverse=True)


def _sameness(one: Prediction) -> object:
    """Predictions of the same plan in the same mode are one."""
    plan = one.plan
    labels = b"" if plan is None else plan.labels.tobytes() + plan.blocks.pairs.tobytes()
    return (one.configuration.mode, labels)


def _nothing(
    over: list[tuple[float, str, Prediction]], refused: list[Refused], num_qubits: int
) -> str:
    """Why there is nothing to recommend, and what comes nearest."""
    if over:
        worst, reason, one = min(over, key=lambda row: row[0])
        return (
            f"nothing keeps within the limits; the nearest is {one.title}, which {reason}: relax "
            f"that limit by a factor of {worst:.3g}"
        )
    configuration, reason = refused[0].configuration, refused[0].reason
    for other in refused:
        if "max_qubits=" in other.reason:
            configuration, reason = other.configuration, other.reason
    return (
        f"nothing can run within the limits; the nearest is {configuration.describe(num_qubits)}: "
        f"{reason}"
    )


def _runner(
    dreamer: QDreamer,
    circuit: QuantumCircuit,
    observables: Any,
    precision: float,
    limits: Limits,
) -> Callable[[Prediction], Any]:
    def run(one: Prediction) -> Any:
        from qdreamer_lab.dreamer.adapting import PlanAdviser
        from qdreamer_lab.workload.estimator import CutEstimator

        configuration = one.configuration
        place = dreamer.place(configuration.on)
        adviser = PlanAdviser(
            dreamer, circuit, observables, one, precision=precision, limits=limits
        )
        estimator = CutEstimator(
            configuration.max_qubits,
            mode=configuration.mode,
            session=place.session,
            on=configuration.on if place.session is not None else None,
            adviser=adviser,
        )
        result = estimator.run([(circuit, observables)], precision=precision).result()[0]
        adviser.observe(result)
        return result

    return run
