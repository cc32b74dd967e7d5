"""Ways to run a circuit within limits, priced and ranked; or the reason why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.advice.candidates import Candidates
from qdreamer_lab.dreamer.advice.ranking import Ranking, ranked
from qdreamer_lab.dreamer.predict.place import GPU
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.modes import METHODS

if TYPE_CHECKING:
    from collections.abc import Collection

    from qdreamer_lab.dreamer.advice.limits import Limits, Refused
    from qdreamer_lab.dreamer.advice.pricer import Pricer
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted

__all__ = ["ranked_ways"]


def ranked_ways(
    pricer: Pricer,
    wanted: Wanted,
    *,
    limits: Limits,
    on: str | None,
    methods: Collection[str],
    in_process: bool,
    exact_first: bool,
    gpus: bool = True,
) -> Ranking:
    """Look at ways to run a circuit and rank those that keep within the limits.

    Args:
        pricer: Prices them.
        wanted: Circuit, observables and precision.
        limits: What a run may take.
        on: A kind of worker or a pilot's name.
        methods: Ways of simulating that are considered.
        in_process: Whether short runs may take place here instead of on a local pilot.
        exact_first: Exact values were asked for, if they are affordable.
        gpus: Whether workers with a GPU are weighed too if `on` names nothing.

    Raises:
        QDreamerError: If nothing keeps within the limits; it names what comes nearest.
    """
    place = pricer.place(on)
    _check(limits, place, methods)
    looked = Candidates(pricer, wanted, place, limits, on)
    looked.search(methods, in_process=in_process)
    found, over, refused = looked.found, looked.over, looked.refused
    gpu = pricer.gpu_place() if gpus and on is None and METHODS[0] in methods else None
    if gpu is not None:
        more = Candidates(pricer, wanted, gpu, limits, GPU)
        more.search(METHODS[:1], in_process=False, exact_only=True)
        found, over, refused = found + more.found, over + more.over, refused + more.refused
    if not found:
        raise QDreamerError(_nothing(over, refused, wanted.num_qubits))
    order = ranked(found, exact_first=exact_first)
    return Ranking(order, limits, tuple(refused), wanted.num_qubits)


def _check(limits: Limits, place: Place, methods: Collection[str]) -> None:
    """Refuse what cannot be answered."""
    unknown = [method for method in methods if method not in METHODS]
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
        worst, reason, nearest = min(over, key=lambda row: row[0])
        return (
            f"nothing keeps within the limits; the nearest is {nearest.title}, which {reason}: "
            f"relax that limit by a factor of {worst:.3g}"
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
