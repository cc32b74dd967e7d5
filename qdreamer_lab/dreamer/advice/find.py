"""From a circuit to ranked ways to run it, or to what is in the way of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.candidates import Candidates, widths_for
from qdreamer_lab.dreamer.advice.ranking import ranked
from qdreamer_lab.dreamer.advice.recommendation import Limits, Recommendation, Refused
from qdreamer_lab.dreamer.advice.run import estimator_for
from qdreamer_lab.dreamer.wanted import request_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.modes import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.dreamer import QDreamer
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.wanted import Wanted

__all__ = ["Asked", "recommended", "widths_for"]

_PRECISION = 1 / 64


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """What a recommendation is asked for, as it was given."""

    circuit: QuantumCircuit
    observables: Any
    parameter_values: Any

    @property
    def pub(self) -> tuple[Any, ...]:
        """The same as a PUB."""
        if self.parameter_values is None:
            return (self.circuit, self.observables)
        return (self.circuit, self.observables, self.parameter_values)


def recommended(
    dreamer: QDreamer,
    asked: Asked,
    precision: float | None,
    limits: Limits | None,
    on: str | None,
    methods: Collection[str],
    in_process: bool,
) -> Recommendation:
    """`QDreamer.recommend`."""
    limits = Limits() if limits is None else limits
    wanted = request_of(
        asked.circuit,
        asked.observables,
        _PRECISION if precision is None else precision,
        asked.parameter_values,
    )
    place = dreamer.place(on)
    _check(limits, place, methods)
    looked = Candidates(dreamer, wanted, place, limits, on)
    looked.search(methods, in_process=in_process)
    if not looked.found:
        raise QDreamerError(_nothing(looked.over, looked.refused, wanted.num_qubits))
    order = ranked(looked.found, exact_first=precision is None)
    runner = _runner(dreamer, asked, wanted, limits)
    return Recommendation(order, limits, tuple(looked.refused), wanted.num_qubits, runner)


def _check(limits: Limits, place: Place, methods: Collection[str]) -> None:
    """Refuse what cannot be answered."""
    unknown = [one for one in methods if one not in METHODS]
    if unknown or not methods or isinstance(methods, str):
        raise QDreamerError(f"methods={methods!r}: some of {', '.join(map(repr, METHODS))}")
    if limits.max_cost is not None and place.backend is not None and not place.terms.priced:
        name = getattr(place.backend, "name", "device")
        raise QDreamerError(
            f"max_cost needs the prices of {name}: give QDreamer(devices={{{name!r}: "
            "DeviceTerms(price_per_second=...)})"
        )


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
    if not refused:
        return "nothing can run within the limits: no method that was asked for takes cut circuits"
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
    asked: Asked,
    wanted: Wanted,
    limits: Limits,
) -> Callable[[Prediction], Any]:
    precision = wanted.request.precision

    def run(one: Prediction) -> Any:
        from qdreamer_lab.dreamer.advice.adviser import PlanAdviser

        place = dreamer.place(one.configuration.on)
        adviser = PlanAdviser(
            dreamer, wanted.circuit, wanted.given, one, precision=precision, limits=limits
        )
        estimator = estimator_for(one, place.session, place.workers, adviser=adviser)
        result = estimator.run([asked.pub], precision=precision).result()[0]
        if wanted.sets == 1:  # of several, only the longest was looked at
            adviser.observe(result)
        return result

    return run
