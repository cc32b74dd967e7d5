"""Ways to run a circuit within limits, priced and ranked; or the reason why there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.advice.candidates import Candidates
from qdreamer_lab.dreamer.advice.limits import Refused
from qdreamer_lab.dreamer.advice.ranking import PREFERENCES, Ranking, ranked
from qdreamer_lab.dreamer.device.shape import device_shape
from qdreamer_lab.dreamer.device.success import plan_success
from qdreamer_lab.dreamer.predict.place import GPU
from qdreamer_lab.errors import DeviceError, QDreamerError
from qdreamer_lab.workload.arguments import check_choice
from qdreamer_lab.workload.modes import METHODS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from qdreamer_lab.dreamer.advice.limits import Limits
    from qdreamer_lab.dreamer.advice.pricer import Pricer
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted

__all__ = ["ranked_ways"]

_WRITTEN = 8
"""Ways of each device whose fragments are written for it: the fastest, among them all widths; and
those whose cuts save swaps."""

_SWAP_PRICES = (0.5, 2.0)
"""Bits that a swap counts for in plans that are looked at for the sake of their errors. What comes
of them is weighed by the predicted error, as everything else."""


def ranked_ways(
    pricer: Pricer,
    wanted: Wanted,
    *,
    limits: Limits,
    on: str | Sequence[str] | None,
    methods: Collection[str],
    in_process: bool,
    exact_first: bool,
    gpus: bool = True,
    prefer: str = "time",
) -> Ranking:
    """Look at ways to run a circuit and rank those that keep within the limits.

    Args:
        pricer: Prices them.
        wanted: Circuit, observables and precision.
        limits: What a run may take.
        on: A kind of worker or a pilot's name, or several; of several devices each is weighed.
        methods: Ways of simulating that are considered.
        in_process: Whether short runs may take place here instead of on a local pilot.
        exact_first: Exact values were asked for, if they are affordable.
        gpus: Whether workers with a GPU are weighed too if `on` names nothing.
        prefer: What comes first: "time", "fidelity" or "cost".

    Raises:
        QDreamerError: If nothing keeps within the limits; it names what comes nearest.
    """
    check_choice("prefer", prefer, PREFERENCES)
    places = pricer.places(on)
    _check(limits, [place for _, place in places], methods, prefer)
    found: list[Prediction] = []
    over: list[tuple[float, str, Prediction]] = []
    refused: list[Refused] = []
    queues = {str(name): place.terms.queue_s for name, place in places if place.backend is not None}
    most = _WRITTEN if prefer == "fidelity" else int(len(queues) > 1)
    for name, place in places:
        looked = Candidates(pricer, wanted, place, limits, name)
        sparse = place.backend is not None and not device_shape(place.backend).all_to_all
        swap_prices = _SWAP_PRICES if prefer == "fidelity" and sparse else ()
        looked.search(methods, in_process=in_process, swap_prices=swap_prices)
        over, refused = over + looked.over, refused + looked.refused
        found += _with_success(looked, most)
    gpu = pricer.gpu_place() if gpus and on is None and METHODS[0] in methods else None
    if gpu is not None:
        more = Candidates(pricer, wanted, gpu, limits, GPU)
        more.search(METHODS[:1], in_process=False, exact_only=True)
        found, over, refused = found + more.found, over + more.over, refused + more.refused
    if not found:
        raise QDreamerError(_nothing(over, refused, wanted.num_qubits))
    order = ranked(found, exact_first=exact_first, prefer=prefer)
    return Ranking(order, limits, tuple(refused), wanted.num_qubits, prefer, queues=queues)


def _with_success(looked: Candidates, most: int) -> list[Prediction]:
    """Ways that were found; the fastest of them with how often nothing goes wrong.

    So many at most, and those whose cuts save swaps.
    """
    backend = looked.place.backend
    if not most:
        return looked.found
    if backend is None:
        return [replace(each, success=1.0) for each in looked.found]
    fastest = sorted(looked.found, key=lambda each: each.makespan_s)
    swapping = [each for each in fastest[most:] if each.configuration.swap_price is not None]
    rest = [each for each in fastest[most:] if each.configuration.swap_price is None]
    written: list[Prediction] = []
    for each in fastest[:most] + swapping:
        assert each.plan is not None, "what takes shots has a plan"
        try:
            success = plan_success(looked.wanted.request, each.plan, backend)
        except DeviceError as error:
            looked.refused.append(Refused(each.configuration, str(error)))
        else:
            written.append(replace(each, success=success))
    return written + rest


def _check(limits: Limits, places: list[Place], methods: Collection[str], prefer: str) -> None:
    """Refuse what cannot be answered."""
    unknown = [method for method in methods if method not in METHODS]
    if unknown or not methods or isinstance(methods, str):
        raise QDreamerError(f"methods={methods!r}: some of {', '.join(map(repr, METHODS))}")
    devices = [place for place in places if place.backend is not None]
    for place in devices:
        if (limits.max_cost is not None or prefer == "cost") and not place.terms.priced:
            name = getattr(place.backend, "name", "device")
            what = "prefer='cost'" if limits.max_cost is None else "max_cost"
            raise QDreamerError(
                f"{what} needs the prices of {name}: give QDreamer(devices={{{name!r}: "
                "DeviceTerms(price_per_second=...)})"
            )
    currencies = sorted({place.terms.currency for place in devices if place.terms.priced})
    if len(currencies) > 1 and (limits.max_cost is not None or prefer == "cost"):
        raise QDreamerError(
            f"prices in {', '.join(currencies)} cannot be compared: give all terms in one currency"
        )


def _nothing(
    over: list[tuple[float, str, Prediction]], refused: list[Refused], num_qubits: int
) -> str:
    """Why there is nothing to recommend, and what comes nearest."""
    if over:
        worst, reason, nearest = min(over, key=lambda row: row[0])
        return (
            f"nothing is within the limits; the closest is {nearest.title}, which {reason}: "
            f"relax that limit by a factor of {worst:.3g}"
        )
    if not refused:
        return "nothing can run within the limits: no method that was asked for takes cut circuits"
    configuration, reason = refused[0].configuration, refused[0].reason
    for other in refused:
        if "max_qubits=" in other.reason:
            configuration, reason = other.configuration, other.reason
    return (
        f"nothing can run within the limits; the closest is {configuration.describe(num_qubits)}: "
        f"{reason}"
    )
