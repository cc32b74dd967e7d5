"""The Qiskit backend of a QPU: for the notebook, which transpiles, and for workers, which run.

Workers ask `backend_here()`. The notebook asks `backend_of(pilots)`, for the target.
"""

import sys
import threading
from collections.abc import Sequence
from functools import lru_cache

from qiskit.providers import BackendV2
from qiskit_aer import AerSimulator

from pilot_kernel.errors import DescriptionError, PlacementError
from pilot_kernel.primitive.device.snapshot import NoisySnapshot
from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.kind.devices import AER, factory_of, is_snapshot
from pilot_kernel.resource.kind.vendors import showable, without_secrets
from pilot_kernel.resource.pilot import PilotStatus

__all__ = ["backend_here", "backend_named", "backend_of", "is_simulated", "parts_per_worker"]

_PARTS = 4
"""Several even out what was guessed wrong, but a real QPU has one to run at a time."""

_PATIENCE_S = 2.0
"""How long a device may take to load before it is said what is being waited for."""


def backend_here() -> BackendV2 | None:
    """The backend of the QPU that this worker stands for; None on any other worker."""
    name = worker_environment.device()
    return backend_named(name) if name else None


@lru_cache(maxsize=16)
def backend_named(name: str) -> BackendV2:
    """The backend of a device, made once in each process.

    Args:
        name: The device, as in `qpu://name`.

    Raises:
        DescriptionError: There is no such device, or it is no `BackendV2`.
    """
    if name == AER:
        return AerSimulator(max_parallel_threads=worker_environment.cores() or 0)
    make = factory_of(name)
    waiting = threading.Timer(_PATIENCE_S, _say, [name])
    waiting.daemon = True
    waiting.start()
    try:
        backend = make()
        snapshot = NoisySnapshot(name, backend.target) if is_snapshot(name) else None
    except DescriptionError:
        raise
    except Exception as error:  # noqa: BLE001 somebody's function may raise anything
        raise DescriptionError(
            f"QPU {name!r}: its function raised {type(error).__name__}: "
            f"{without_secrets(str(error))}"
        ) from showable(error)
    finally:
        waiting.cancel()
    if not isinstance(backend, BackendV2):
        raise DescriptionError(
            f"QPU {name!r}: its function returned {type(backend).__name__}, not a BackendV2"
        )
    return snapshot or backend


def _say(name: str) -> None:
    print(f"loading QPU {name} (the first time takes longest) ...", file=sys.stderr, flush=True)


def backend_of(pilots: Sequence[PilotStatus]) -> BackendV2 | None:
    """The backend that tasks on any of these pilots find; None where workers simulate.

    Args:
        pilots: What `Session.candidates` gave.

    Raises:
        PlacementError: They stand for different devices, whose circuits differ.
    """
    names = sorted({pilot.backend for pilot in pilots if pilot.backend is not None})
    if len(names) > 1:
        which = ", ".join(sorted(repr(p.name) for p in pilots if p.backend is not None))
        raise PlacementError(
            f"there are several QPUs, {which}, and a circuit is transpiled for one of them; name "
            "it with on="
        )
    return backend_named(names[0]) if names else None


def parts_per_worker(backend: BackendV2) -> int:
    """How many parts of a run each worker gets; on a device that is not simulated, a job each."""
    return _PARTS if is_simulated(backend) else 1


def is_simulated(backend: BackendV2) -> bool:
    """Whether it simulates: state vectors take the worker's memory, and seeds have an effect."""
    return isinstance(backend, (AerSimulator, NoisySnapshot))
