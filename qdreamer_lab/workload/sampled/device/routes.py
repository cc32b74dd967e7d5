"""Where the variants of each fragment run: on a device, or on simulators.

A fragment that the device cannot run goes to simulators, if the user allows it. This module must
not know shots or values.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.provider.registry import held
from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.sampled.device.check import check_device
from qdreamer_lab.workload.sampled.device.jobs import run_on_device
from qdreamer_lab.workload.sampled.device.marked_circuit import fragment_circuit
from qdreamer_lab.workload.sampled.device.transpile import transpiled
from qdreamer_lab.workload.sampled.simulate import sample_fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.transpile import Template
    from qdreamer_lab.workload.sampled.lower import ShotProgram
    from qdreamer_lab.workload.sampled.shots import ShotRequest, ShotResult
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["Failure", "Routes"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What a task hands back instead of a result when its device has failed.

    Attributes:
        error: The reason.
        seconds: Wall time until then.
    """

    error: DeviceError
    seconds: float


class Routes:
    """Where fragments run.

    Args:
        backend: The device, or None for simulators.
        in_process: The device is at hand here; otherwise workers find theirs.
        fallback: Whether simulators may step in.
        simulate_on: What holds the states of simulators, "CPU" or "GPU".
    """

    def __init__(
        self,
        backend: BackendV2 | None,
        *,
        in_process: bool,
        fallback: bool,
        simulate_on: str = "CPU",
    ) -> None:
        self._simulate_on = simulate_on
        self._backend = backend
        self._in_process = in_process
        self._fallback = fallback
        self._templates: dict[tuple[int, int], Template] = {}
        self._rerouted: dict[int, str] = {}
        self.transpile_s = 0.0

    @property
    def rerouted(self) -> dict[int, str]:
        """Fragments that simulators take in, and why."""
        return dict(sorted(self._rerouted.items()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should be told."""
        return tuple(
            f"fragment {fragment} ran on a simulator instead: {reason}"
            for fragment, reason in self.rerouted.items()
        )

    def prepare(
        self,
        programs: Sequence[ShotProgram],
        circuit: QuantumCircuit,
        values: Sequence[Mapping[str, float]],
    ) -> None:
        """Write every fragment for the device, once for all bindings that allow it.

        Raises:
            DeviceError: If it cannot be, and no simulator may step in.
        """
        if self._backend is None:
            return
        start = time.perf_counter()
        for binding, (program, mine) in enumerate(zip(programs, values, strict=True)):
            for fragment in program.fragments:
                if fragment.program.id in self._rerouted:
                    continue
                try:
                    check_device((fragment,), self._backend)
                    source = fragment_circuit(circuit, program.plan, fragment.program)
                    template = transpiled(source, self._backend).bound(mine)
                except DeviceError as error:
                    self.reroute(fragment.program.id, error)
                else:
                    self._templates[binding, fragment.program.id] = template
        self.transpile_s += time.perf_counter() - start

    def on_device(self, fragment: int) -> bool:
        """Whether a fragment runs on the device."""
        return self._backend is not None and fragment not in self._rerouted

    def reroute(self, fragment: int, error: DeviceError) -> None:
        """Send a fragment to simulators from now on.

        Raises:
            DeviceError: The error itself, if that is not allowed.
        """
        if not self._fallback:
            raise error
        self._rerouted[fragment] = str(error)

    def call(
        self, binding: int, fragment: ShotFragment, request: ShotRequest
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The function, and its arguments, that runs a request."""
        number = fragment.program.id
        if not self.on_device(number):
            # The request is always the last argument.
            on_gpu = self._simulate_on == "GPU"
            run = partial(sample_fragment, device="GPU") if on_gpu else sample_fragment
            return run, (fragment, request)
        backend = self._backend if self._in_process else None
        return attempt, (fragment, self._templates[binding, number], backend, request)


def attempt(
    fragment: ShotFragment, template: Template, backend: BackendV2 | None, request: ShotRequest
) -> ShotResult | Failure:
    """Run a request on a backend, or on the one that this worker stands for."""
    start = time.perf_counter()
    try:
        if backend is None:
            # Only QPU workers need it, and it loads Aer.
            from pilot_kernel.primitive.device.backend import backend_here

            backend = backend_here()
            if backend is None:
                raise DeviceError("none", "this worker stands for no QPU")
        with held(backend):
            return run_on_device(fragment, template, request, backend)
    except DeviceError as error:
        return Failure(error, time.perf_counter() - start)
    except QpuError as error:  # it could not be held
        name = "none" if backend is None else backend.name
        return Failure(DeviceError(name, str(error)), time.perf_counter() - start)
