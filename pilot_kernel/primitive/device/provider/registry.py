"""Which provider a backend belongs to, and how its V2 primitives are made.

An entry point of the group `pilot_kernel.samplers` is named after the package, module or class that
backends come from, such as `qiskit_ionq`, and names a `Provider`. Subclasses of such a class belong
to it too, unless they come from elsewhere with a `run` of their own. A backend of no provider goes
through its own `run`.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.providers import BackendV2

from pilot_kernel.errors import QpuError

__all__ = [
    "ENTRY_POINTS",
    "IBM_EXECUTIONS",
    "Provider",
    "circuits_per_job",
    "held",
    "jobs_for",
    "provider_of",
]

ENTRY_POINTS = "pilot_kernel.samplers"
"""The group of entry points that name a `Provider`."""

IBM_EXECUTIONS = 10_000_000
"""Circuits times shots of a job of IBM's sampler, at most; `max_experiments` is void by now.

Source: https://quantum.cloud.ibm.com/docs/guides/job-limits
"""

_ROOM = "pilot_kernel.primitive.device.provider"
_OURS = {
    "qiskit_ibm_runtime": f"{_ROOM}.ibm:PROVIDER",
    "pilot_kernel.primitive.device.snapshot": f"{_ROOM}.ibm:PROVIDER",
    "qiskit_braket_provider": f"{_ROOM}.braket:PROVIDER",
    "qrmi": f"{_ROOM}.qrmi:PROVIDER",
}
"""Providers that are known here, imported when they are needed."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """How a provider's own primitives are made for one of its backends.

    Attributes:
        sampler: Makes a `BaseSamplerV2`, given the backend and a seed for simulators.
        estimator: Makes a `BaseEstimatorV2`, likewise; without one, values are made of samples.
        job: Gives a job back by its id, or None where jobs cannot be had again.
        executions: The most circuits times shots that a job for this backend may have, or None.
        held: Holds the backend as long as its context lasts, where that has to be asked for.
    """

    sampler: Callable[[Any, int | None], BaseSamplerV2]
    estimator: Callable[[Any, int | None], BaseEstimatorV2] | None = None
    job: Callable[[Any, str], Any] | None = None
    executions: Callable[[Any], int | None] = lambda backend: None
    held: Callable[[Any], AbstractContextManager[Any]] = nullcontext


def provider_of(backend: BackendV2) -> Provider | None:
    """The provider that a backend belongs to; None if it has to be reached by its `run`.

    Raises:
        QpuError: The provider's entry point cannot be loaded.
    """
    kind: type = type(backend)
    return _provider(kind)


def circuits_per_job(backend: BackendV2, shots: int) -> int | None:
    """The most circuits of a job in which each has so many shots; None where nothing limits it.

    Raises:
        QpuError: As for `provider_of`.
    """
    provider = provider_of(backend)
    executions = None if provider is None else provider.executions(backend)
    limits = [backend.max_circuits or 0, 0 if executions is None else max(1, executions // shots)]
    return min((limit for limit in limits if limit > 0), default=None)


def jobs_for(backend: BackendV2, circuits: int, shots: int) -> int:
    """Jobs that so many circuits with so many shots each go in, if a job may have so many shots.

    Raises:
        QpuError: As for `provider_of`.
    """
    return math.ceil(circuits / (circuits_per_job(backend, shots) or max(1, circuits)))


@lru_cache(maxsize=64)
def _provider(kind: Any) -> Provider | None:
    ours = (EntryPoint(name, value, ENTRY_POINTS) for name, value in _OURS.items())
    known = {point.name: point for point in (*ours, *entry_points(group=ENTRY_POINTS))}
    for base in kind.__mro__:
        place = f"{base.__module__}.{base.__qualname__}"
        names = [name for name in known if f"{place}.".startswith(f"{name}.")]
        if names:
            return _loaded(known[max(names, key=len)])
        if "run" in vars(base):  # somebody's own, which a provider's primitives would not call
            return None
    return None


def _loaded(point: EntryPoint) -> Provider:
    try:
        found = point.load()
    except Exception as error:  # somebody's module may raise anything
        raise QpuError(
            f"the sampler for backends of {point.name} is the entry point {point.value!r}, which "
            f"cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Provider):
        raise QpuError(
            f"the sampler for backends of {point.name}: {point.value!r} is a "
            f"{type(found).__name__}, and {ENTRY_POINTS} takes a Provider"
        )
    return found


_held: Counter[int] = Counter()
_holding = threading.Lock()


@contextmanager
def held(backend: BackendV2) -> Iterator[None]:
    """Hold a backend, if its provider asks for that; inside such a context nothing is added."""
    provider = provider_of(backend)
    hold = nullcontext if provider is None else provider.held
    with _holding:
        _held[id(backend)] += 1
        outermost = _held[id(backend)] == 1
    try:
        with hold(backend) if outermost else nullcontext():
            yield
    finally:
        with _holding:
            _held[id(backend)] -= 1
