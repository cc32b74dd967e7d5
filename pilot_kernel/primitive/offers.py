"""Which of several QPUs runs circuits: the one that is done first, errs least, or is cheapest.

PUBs are written for each of them; nothing is sent.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pilot_kernel.errors import PilotError, PlacementError, PubError
from pilot_kernel.primitive.device.backend import backend_of
from pilot_kernel.primitive.device.prepare import for_device
from pilot_kernel.primitive.device.shot_success import success
from pilot_kernel.primitive.device.shot_time import TYPICAL_SHOT_S, WAITING_JOB_S
from pilot_kernel.primitive.dry_run import DryRun, circuits_of, sent_for
from pilot_kernel.primitive.session_like import SessionLike

__all__ = ["PREFERENCES", "Offer", "check_preference", "offers", "places_of"]

PREFERENCES = ("time", "fidelity", "cost")

_LOOKED_AT = 8
"""Circuits whose errors are predicted; those of a sweep differ in angles only."""


@dataclass(frozen=True, eq=False)
class Offer:
    """A QPU that can run some PUBs.

    Attributes:
        place: Name of its pilot.
        pubs: The PUBs in its terms.
        work: What they take there.
        seconds: Until they are done, the queue included, about.
        success: Share of their shots that will be free of errors, by what the device says.
        price: By the terms of its owner; None if they are not known.
    """

    place: str
    pubs: Sequence[Any] = field(repr=False)
    work: DryRun
    seconds: float
    success: float
    price: float | None = None


def places_of(session: SessionLike, on: str | Sequence[str] | None) -> list[str]:
    """The pilots of several QPUs that `on` names; none where one place is meant.

    Raises:
        PlacementError: One of them does not exist or stands for simulators, or is named twice.
    """
    if on is None or isinstance(on, str):
        pilots = session.candidates(on)
        several = len({pilot.backend for pilot in pilots} - {None}) > 1
        return [pilot.name for pilot in pilots if pilot.backend is not None] if several else []
    listed = list(on)
    if not listed or not all(isinstance(each, str) and each for each in listed):
        raise PlacementError(f"on={on!r}: names of QPUs' pilots, such as ['one', 'other']")
    twice = next((each for k, each in enumerate(listed) if each in listed[:k]), None)
    if twice is not None:
        raise PlacementError(f"on= names {twice!r} twice")
    found: dict[str, None] = {}
    for each in listed:
        for pilot in session.candidates(each):
            if pilot.backend is None:
                raise PlacementError(
                    f"on={listed!r}: {each!r} stands for simulators; name QPUs alone, and let "
                    f"simulators step in with fallback={each!r}"
                )
            found[pilot.name] = None
    return list(found)


def offers(
    session: SessionLike,
    pubs: Sequence[Any],
    places: Sequence[str],
    *,
    prefer: str = "time",
    terms: Any = None,
    level: int | None = None,
) -> list[Offer]:
    """The QPUs that can run PUBs, the best first.

    Args:
        session: Whose pilots stand for them.
        pubs: Checked `SamplerPub`s or `EstimatorPub`s.
        places: Names of pilots.
        prefer: "time", by the length of shots and who waits there; "fidelity", by the errors of
            gates, readout and idle qubits; "cost", by `terms`.
        terms: What devices' owners ask, such as `DeviceTerms`: one for all, or by the names of
            pilots or devices.
        level: Qiskit's optimization level.

    Raises:
        PilotError: `prefer` is none of these, or prices are to decide, and there are none or in
            several currencies.
        PubError: None of them can run the PUBs; it says why the last cannot.
    """
    check_preference(prefer)
    found, refused = [], None
    for place in places:
        try:
            found.append(_offer(session, pubs, place, terms, level))
        except PubError as error:
            refused = error
    if not found:
        assert refused is not None
        raise refused
    if prefer == "cost":
        _check_prices(found, terms)

    def key(offer: Offer) -> tuple[float, float]:
        if prefer == "fidelity":
            return -offer.success, offer.seconds
        if prefer == "cost":
            return math.inf if offer.price is None else offer.price, offer.seconds
        return offer.seconds, -offer.success

    return sorted(found, key=key)


def check_preference(prefer: Any) -> None:
    """Refuse what is none of `PREFERENCES`.

    Raises:
        PilotError: It says what there is.
    """
    if prefer not in PREFERENCES:
        raise PilotError(f"prefer={prefer!r}: {', '.join(map(repr, PREFERENCES))}")


def _offer(
    session: SessionLike, pubs: Sequence[Any], place: str, terms: Any, level: int | None
) -> Offer:
    pilots = session.candidates(place)
    backend = backend_of(pilots)
    assert backend is not None
    written = for_device(pubs, backend, pilots, level)
    work = sent_for(written, backend, pilots)
    asked = _terms_of(place, work.device, terms)
    at_it = TYPICAL_SHOT_S * work.shots if work.qpu_s is None else work.qpu_s
    stated = getattr(asked, "queue_s", 0.0)
    queue = stated or WAITING_JOB_S * (work.pending_jobs or 0)
    circuits = [circuit for pub in written for circuit in circuits_of(pub, backend)]
    places = np.linspace(0, len(circuits) - 1, min(len(circuits), _LOOKED_AT)).astype(int)
    good = [success(circuits[k], backend.target) for k in places.tolist()]
    price = None
    if asked is not None and work.qpu_s is not None:
        price = asked.cost(work.qpu_s, work.shots, work.jobs)
    good_share = float(np.mean(good)) if good else 1.0
    return Offer(place, written, work, queue + at_it, good_share, price)


def _terms_of(place: str, device: str, terms: Any) -> Any:
    if isinstance(terms, Mapping):
        return terms.get(place) or terms.get(device)
    return terms


def _check_prices(found: Sequence[Offer], terms: Any) -> None:
    priced = [offer for offer in found if offer.price is not None]
    if not priced:
        raise PilotError(
            f"prefer='cost' needs prices: give terms={{{found[0].place!r}: DeviceTerms(...)}}"
        )
    currencies = {_terms_of(each.place, each.work.device, terms).currency for each in priced}
    if len(currencies) > 1:
        raise PilotError(
            f"prefer='cost' compares prices, and they are in {', '.join(sorted(currencies))}: give "
            "all terms in one currency"
        )
