"""PUBs on the best of several QPUs, and on the next one if that fails."""

import concurrent.futures
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pilot_kernel.errors import AgentLostError, PlacementError, TaskTimeoutError
from pilot_kernel.primitive.device.prepare import DEFAULT_PRECISION
from pilot_kernel.primitive.dry_run import DryRun, dry_run
from pilot_kernel.primitive.offers import check_preference, offers, places_of
from pilot_kernel.primitive.pub.check import estimator_pubs, has_observables, listed, sampler_pubs
from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.primitive.submit import (
    DEFAULT_SHOTS,
    Seed,
    check_kind,
    default_precision,
    known,
    run,
    submit_pubs,
    whole_seed,
)
from pilot_kernel.task.notebook.options import TaskOptions
from pilot_kernel.task.notebook.staged_task import StagedTask
from pilot_kernel.task.notebook.task_like import TaskLike

__all__ = [
    "DeviceTask",
    "dry_run_anywhere",
    "precision_anywhere",
    "run_anywhere",
    "submit_anywhere",
]

_FINAL = (concurrent.futures.CancelledError, AgentLostError, TaskTimeoutError)
"""Ends that another device would not change."""


class DeviceTask(StagedTask):
    """PUBs on one QPU after the other until one has run them.

    Its result has the name of the pilot under "device" in its metadata, and under "failed" the
    names of those before it, with their reasons.

    Args:
        name: What the user calls it.
        attempts: Of each place, its name and what submits the PUBs there; one at least.

    Raises:
        PilotError: None of the places takes them.
    """

    def __init__(self, name: str, attempts: Sequence[tuple[str, Callable[[], TaskLike]]]) -> None:
        self.about: Any = None
        self._left = list(attempts)
        self._failed: dict[str, str] = {}
        self._place = ""
        super().__init__(name, self._submitted())
        self._follow()

    def _submitted(self) -> TaskLike:
        """The next attempt that is taken."""
        while True:
            self._place, submit = self._left.pop(0)
            try:
                return submit()
            except PlacementError as error:  # its pilot is gone
                if not self._left:
                    raise
                self._failed[self._place] = str(error)

    def _next(self) -> TaskLike | None:
        try:
            result = self.stages[-1].result()
        except Exception as error:  # devices may raise anything
            if self.stages[-1].cancelled() or isinstance(error, _FINAL) or not self._left:
                raise
            self._failed[self._place] = str(error) or type(error).__name__
            place = self._place
            following = self._submitted()
            told = f"{place} failed, {self._place} is next: {self._failed[place]}\n"
            self.output.extend([("stderr", told)])
            return following
        result.metadata["device"] = self._place
        if self._failed:
            result.metadata["failed"] = dict(self._failed)
        self.set_result(result)
        return None


def submit_anywhere(
    session: SessionLike,
    pubs: Sequence[Any],
    options: TaskOptions,
    *,
    on: str | Sequence[str] | None,
    prefer: str = "time",
    terms: Any = None,
    fallback: str | None = None,
    seed: Seed = None,
    method: str = "automatic",
    optimization_level: int | None = None,
) -> TaskLike:
    """Submit checked PUBs to where `on` says, or to the best of several QPUs.

    Args:
        session: Whose pilots are meant.
        pubs: `SamplerPub`s or `EstimatorPub`s.
        options: Of the task; its place is given by `on`.
        on: A kind of worker or a pilot's name, or several.
        prefer: What decides between QPUs; see `offers`.
        terms: As there.
        fallback: Where PUBs go if all QPUs fail; None for nowhere.
        seed: Of the random numbers.
        method: Of simulators.
        optimization_level: Of the transpilation for QPUs.

    Raises:
        PubError: The PUBs run nowhere there.
        PlacementError: A place does not exist.
        PilotError: `prefer` makes no sense.
    """
    check_preference(prefer)
    places = places_of(session, on)
    how: dict[str, Any] = {"method": method, "optimization_level": optimization_level}
    if fallback is not None:
        session.candidates(fallback)
    if not places and fallback is None:
        assert on is None or isinstance(on, str)
        return submit_pubs(session, pubs, replace(options, on=on), seed=seed, **how)
    again = {"seed": whole_seed(seed), **how}  # a generator gives another one each time
    tried: list[tuple[str, str | None, Sequence[Any]]] = [(str(on), None, pubs)]
    if places:
        found = offers(session, pubs, places, prefer=prefer, terms=terms, level=optimization_level)
        tried = [(offer.place, offer.place, offer.pubs) for offer in found]
    elif isinstance(on, str):
        tried = [(on, on, pubs)]
    if fallback is not None:
        tried.append((fallback, fallback, pubs))
    return DeviceTask(
        options.name or "circuits",
        [
            (name, partial(submit_pubs, session, mine, replace(options, on=place), **again))
            for name, place, mine in tried
        ],
    )


def run_anywhere(
    session: SessionLike,
    pubs: Any,
    *,
    on: str | Sequence[str] | None = None,
    prefer: str = "time",
    terms: Any = None,
    fallback: str | None = None,
    shots: int | None = None,
    precision: float | None = None,
    seed: Seed = None,
    method: str = "automatic",
    optimization_level: int | None = None,
    **options: Any,
) -> TaskLike:
    """Run PUBs of either kind; see `Session.run`."""
    check_preference(prefer)
    how: dict[str, Any] = {"seed": seed, "method": method, "optimization_level": optimization_level}
    if fallback is None and not places_of(session, on):
        assert on is None or isinstance(on, str)
        return run(session, pubs, shots=shots, precision=precision, on=on, **how, **options)
    found = listed(pubs)
    estimated = has_observables(found)
    check_kind(estimated=estimated, shots=shots, precision=precision)
    if estimated:
        precision = precision_anywhere(session, on) if precision is None else precision
        checked = estimator_pubs(found, precision)
    else:
        checked = sampler_pubs(found, DEFAULT_SHOTS if shots is None else shots)
    where = TaskOptions(**known(options)).named("estimate" if estimated else "sample")
    task = submit_anywhere(
        *(session, checked, where), on=on, prefer=prefer, terms=terms, fallback=fallback, **how
    )
    if estimated:
        task.about = checked  # type: ignore[attr-defined]  # both kinds of tasks have it
    return task


def dry_run_anywhere(
    session: SessionLike,
    pubs: Sequence[Any],
    *,
    on: str | Sequence[str] | None,
    prefer: str = "time",
    terms: Any = None,
    level: int | None = None,
) -> DryRun:
    """Say what checked PUBs would take where they would run.

    Args:
        session: Whose pilots are meant.
        pubs: `SamplerPub`s or `EstimatorPub`s.
        on: A kind of worker or a pilot's name, or several.
        prefer: What decides between QPUs; see `offers`.
        terms: As there.
        level: Of the transpilation.

    Raises:
        PlacementError: A place does not exist.
        PubError: A PUB runs nowhere there, or no QPU is meant.
    """
    check_preference(prefer)
    if places := places_of(session, on):
        return offers(session, pubs, places, prefer=prefer, terms=terms, level=level)[0].work
    assert on is None or isinstance(on, str)
    return dry_run(session, pubs, on, level)


def precision_anywhere(session: SessionLike, on: str | Sequence[str] | None) -> float:
    """As `default_precision`, of several places, too.

    Raises:
        PlacementError: One of them does not exist.
    """
    if places_of(session, on):
        return DEFAULT_PRECISION
    assert on is None or isinstance(on, str)
    return default_precision(session, on)
