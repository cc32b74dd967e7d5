"""IBM's QPUs, and snapshots of them, through the client-side sampler of qiskit-ibm-runtime.

Given anything but a real device, that sampler is in its local testing mode: the same calls, with
Aer in this process. Such a job is gone with the process, and cannot be had again. Expectation
values are made of samples, with error bars of our own and nothing mitigated unasked. No real device
has been tried.
"""

from typing import Any
from weakref import WeakKeyDictionary

from qiskit_ibm_runtime import IBMBackend
from qiskit_ibm_runtime.executor_sampler import SamplerV2

from pilot_kernel.primitive.device.provider.registry import IBM_EXECUTIONS, Provider
from pilot_kernel.primitive.device.snapshot import NoisySnapshot

__all__ = ["PROVIDER"]

_snapshots: WeakKeyDictionary[Any, NoisySnapshot] = WeakKeyDictionary()


def _sampler(backend: Any, seed: int | None) -> SamplerV2:
    if isinstance(backend, IBMBackend):
        return SamplerV2(mode=backend)
    return SamplerV2(
        mode=_snapshot(backend).simulator, options={"simulator": {"seed_simulator": seed}}
    )


def _snapshot(backend: Any) -> NoisySnapshot:
    """A snapshot as we simulate it: with the noise of the qubits in use, which is much faster."""
    if isinstance(backend, NoisySnapshot):
        return backend
    if backend not in _snapshots:
        _snapshots[backend] = NoisySnapshot(backend.name, backend.target)
    return _snapshots[backend]


def _job(backend: Any, job_id: str) -> Any:
    return backend.service.job(job_id) if isinstance(backend, IBMBackend) else None


def _executions(backend: Any) -> int | None:
    return IBM_EXECUTIONS if isinstance(backend, IBMBackend) else None


PROVIDER = Provider(sampler=_sampler, job=_job, executions=_executions)
