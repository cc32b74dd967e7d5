"""PUBs to tasks: check, cut into pieces, spread over the workers, join."""

from collections.abc import Sequence
from typing import Any

from pilot_kernel.primitive.host import Host
from pilot_kernel.primitive.pieces import chunks, cut, join
from pilot_kernel.primitive.pubs import (
    check_memory,
    estimator_pubs,
    has_observables,
    listed,
    sampler_pubs,
)
from pilot_kernel.primitive.shipment import pack
from pilot_kernel.primitive.simulate import Settings, simulate, simulate_all
from pilot_kernel.task.handle import Task

__all__ = ["DEFAULT_SHOTS", "run", "submit_pubs"]

DEFAULT_SHOTS = 1024


def run(
    session: Host,
    pubs: Any,
    *,
    shots: int | None = None,
    precision: float | None = None,
    **options: Any,
) -> Task:
    """Run PUBs of either kind; see `Session.run`."""
    found = listed(pubs)
    if has_observables(found):
        if shots is not None:
            raise _mismatch("shots", "observables", "precision")
        return submit_pubs(session, estimator_pubs(found, precision or 0.0), **options)
    if precision is not None:
        raise _mismatch("precision", "no observables", "shots")
    shots = DEFAULT_SHOTS if shots is None else shots
    return submit_pubs(session, sampler_pubs(found, shots), **options)


def _mismatch(given: str, what: str, right: str) -> Exception:
    from pilot_kernel.errors import PubError

    return PubError(f"{given}= was given, but the PUBs have {what}; use {right}=")


def submit_pubs(
    session: Host,
    pubs: Sequence[Any],
    *,
    on: str | None = None,
    seed: int | None = None,
    method: str = "automatic",
    name: str | None = None,
    retries: int | None = None,
    timeout_s: float | None = None,
) -> Task:
    """Submit checked PUBs; the task's result is their `PrimitiveResult`.

    Raises:
        PubError: A circuit's state is too large for the workers.
        PlacementError: `on` names nothing that exists.
    """
    pilots = session.candidates(on)
    check_memory([pub.circuit for pub in pubs], method, pilots)
    settings = Settings(method, "GPU" if on == "gpu" else "CPU")
    name = name or ("sample" if hasattr(pubs[0], "shots") else "estimate")
    options: dict[str, Any] = {"on": on, "retries": retries, "timeout_s": timeout_s}
    groups = chunks(cut(pubs, seed), workers=sum(max(1, pilot.wanted) for pilot in pilots))
    if len(groups) == 1:
        return session.submit_call(
            simulate_all, (pack(groups[0]), settings), {}, name=name, **options
        )
    parts = tuple(
        session.submit_call(
            simulate, (pack(group), settings), {}, name=f"{name}.{number}", part=True, **options
        )
        for number, group in enumerate(groups)
    )
    return session.submit_call(_join_groups, (list(parts),), {}, name=name, parts=parts, **options)


def _join_groups(groups: list[list[Any]]) -> Any:
    return join([pair for group in groups for pair in group])
