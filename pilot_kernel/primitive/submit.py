"""From PUBs to a task: check, cut into pieces, submit them to workers, join their results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from qiskit.primitives.containers.sampler_pub import SamplerPub

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.device.backend import backend_of, parts_per_worker
from pilot_kernel.primitive.device.prepare import DEFAULT_PRECISION, for_device
from pilot_kernel.primitive.device.run import run_all_on_device, run_on_device
from pilot_kernel.primitive.pub.check import estimator_pubs, has_observables, listed, sampler_pubs
from pilot_kernel.primitive.pub.pieces import chunks, cut, empty_result, is_empty, join
from pilot_kernel.primitive.pub.shipment import pack
from pilot_kernel.primitive.session_like import SessionLike
from pilot_kernel.primitive.simulator.on_engine import check_gpu
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.run import Settings, simulate, simulate_all
from pilot_kernel.primitive.simulator.state_memory import check_memory
from pilot_kernel.resource.pilot import PilotStatus
from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions
from pilot_kernel.task.notebook.placement import on_gpu

__all__ = [
    "DEFAULT_SHOTS",
    "Seed",
    "check_kind",
    "default_precision",
    "known",
    "run",
    "submit_pubs",
    "whole_seed",
]

DEFAULT_SHOTS = 1024
Seed = np.random.Generator | int | None


@dataclass(frozen=True)
class _Work:
    """PUBs, and what runs a part of them, or all at once, on a worker.

    `per_worker` is how many parts each worker gets: several even out what was guessed wrong, but
    each is a job, and a real QPU has one to run at a time in each slot.
    """

    pubs: Sequence[Any]
    part: Callable[..., Any]
    whole: Callable[..., Any]
    settings: tuple[Any, ...] = ()
    per_worker: int = 4


def default_precision(session: SessionLike, on: str | None) -> float:
    """Standard error of estimator PUBs that name none: exact, or what a QPU takes by default.

    Raises:
        PlacementError: `on` names nothing that exists.
    """
    return 0.0 if backend_of(session.candidates(on)) is None else DEFAULT_PRECISION


def run(
    session: SessionLike,
    pubs: Any,
    *,
    shots: int | None = None,
    precision: float | None = None,
    seed: Seed = None,
    method: str = "automatic",
    optimization_level: int | None = None,
    on: str | None = None,
    **options: Any,
) -> Task:
    """Run PUBs of either kind; see `Session.run`."""
    how = TaskOptions(on=on, **known(options))
    found = listed(pubs)
    submit = partial(submit_pubs, seed=seed, method=method, optimization_level=optimization_level)
    estimated = has_observables(found)
    check_kind(estimated=estimated, shots=shots, precision=precision)
    if estimated:
        precision = default_precision(session, on) if precision is None else precision
        pubs = estimator_pubs(found, precision)
        task = submit(session, pubs, how)
        task.about = pubs
        return task
    shots = DEFAULT_SHOTS if shots is None else shots
    return submit(session, sampler_pubs(found, shots), how)


def known(options: dict[str, Any]) -> dict[str, Any]:
    """Options of tasks; others are an error, as of any function."""
    for name in options:
        if name not in DEFAULT_OPTIONS.keywords():
            raise TypeError(f"run() got an unexpected keyword argument {name!r}")
    return options


def check_kind(*, estimated: bool, shots: int | None, precision: float | None) -> None:
    """Refuse shots for observables, and a precision where there are none.

    Raises:
        PubError: It says which of the two to give.
    """
    if estimated and shots is not None:
        raise PubError("shots= was given, but the PUBs have observables; use precision=")
    if not estimated and precision is not None:
        raise PubError("precision= was given, but the PUBs have no observables; use shots=")


def submit_pubs(
    session: SessionLike,
    pubs: Sequence[Any],
    options: TaskOptions = DEFAULT_OPTIONS,
    *,
    seed: Seed = None,
    method: str = "automatic",
    optimization_level: int | None = None,
) -> Task:
    """Submit checked PUBs; the task's result is their `PrimitiveResult`.

    Raises:
        PubError: A circuit's state is too large for the workers, or it cannot run on the QPU or
            the GPU.
        PlacementError: `on` names nothing that exists, or several QPUs.
    """
    seed = whole_seed(seed)
    pilots = session.candidates(options.on)
    device = "GPU" if on_gpu(options.on, pilots, options.needs) else "CPU"
    work = _work(pubs, pilots, method, device, optimization_level)
    sampled = bool(pubs) and isinstance(pubs[0], SamplerPub)
    options = options.named("sample" if sampled else "estimate")
    workers = sum(max(1, pilot.wanted) for pilot in pilots)
    pieces = cut(work.pubs, seed)
    done = [(replace(p, pub=None), empty_result(p)) for p in pieces if is_empty(p)]
    groups = chunks([p for p in pieces if not is_empty(p)], workers, work.per_worker)
    if len(groups) == 1 and not done:
        return session.submit_call(work.whole, (pack(groups[0]), *work.settings), {}, options)
    parts = tuple(
        session.submit_call(
            work.part,
            (pack(group), *work.settings),
            {},
            replace(options, name=f"{options.name}.{number}", part=True),
        )
        for number, group in enumerate(groups)
    )
    return session.submit_call(_join_groups, ([*parts, done],), {}, replace(options, parts=parts))


def whole_seed(seed: Any) -> int | None:
    """A seed as a number; a generator gives another one for each run, as in Qiskit's own."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if seed is None or (isinstance(seed, (int, np.integer)) and seed >= 0):
        return seed if seed is None else int(seed)
    raise PubError(f"seed={seed!r}: a whole number of at least 0, a NumPy generator, or None")


def _work(
    pubs: Sequence[Any], pilots: list[PilotStatus], method: str, device: str, level: int | None
) -> _Work:
    """Checked PUBs as these pilots take them."""
    backend = backend_of(pilots)
    if backend is None:
        written = for_simulator(pubs, method)
        if device == "GPU":
            check_gpu(written, method)  # its memory is known there
        else:
            check_memory(written, method, pilots)
        return _Work(written, simulate, simulate_all, (Settings(method, device),))
    if method != "automatic":
        raise PubError(f"method={method!r}: {backend.name} is a QPU and has no such choice")
    written = for_device(pubs, backend, pilots, level)
    per_worker = parts_per_worker(backend)
    return _Work(written, run_on_device, run_all_on_device, per_worker=per_worker)


def _join_groups(groups: list[list[Any]]) -> Any:
    return join([pair for group in groups for pair in group])
