"""Where a task may run: from what `on=` says to what a worker must offer."""

from collections.abc import Sequence

from pilot_kernel.errors import PlacementError
from pilot_kernel.resource.pilot import PilotState, PilotStatus

__all__ = ["candidates", "requirement"]

_KINDS = {"cpu": "CPU", "gpu": "GPU", "qpu": "QPU"}


def candidates(on: str | None, pilots: Sequence[PilotStatus]) -> list[PilotStatus]:
    """The pilots that could run a task.

    Args:
        on: A kind of worker (`cpu`, `gpu`, `qpu`), a pilot's name, or None for `cpu`.
        pilots: The session's pilots.

    Raises:
        PlacementError: There is none; the message says what there is.
    """
    wanted = on or "cpu"
    kind = _KINDS.get(wanted.lower())
    usable = [p for p in pilots if p.state is not PilotState.FAILED]
    found = [p for p in usable if (kind in p.offers if kind else p.name == wanted)]
    if found:
        return found
    there = [*sorted({offer.lower() for p in usable for offer in p.offers})]
    there += [f"{p.name} ({p.resource}, {p.state})" for p in pilots]
    hint = "; add one: session.add_pilot('qpu://fake_manila')" if kind == "QPU" else ""
    raise PlacementError(f"on={wanted!r} names nothing here; there is: {', '.join(there)}{hint}")


def requirement(on: str | None) -> dict[str, int]:
    """What a worker must offer, as Dask's abstract resources."""
    wanted = on or "cpu"
    kind = _KINDS.get(wanted.lower())
    return {kind: 1} if kind else {f"pilot:{wanted}": 1}
