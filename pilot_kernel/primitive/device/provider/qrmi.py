"""QPUs that a batch job was given through QRMI, by QRMI's own primitives for IBM's resources.

A resource is acquired around a workload and released after it. A process that is killed cannot
release: then the batch system does, at the end of its job. No hardware has been tried.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qrmi.primitives import RuntimeJobV2
from qrmi.primitives.ibm import SamplerV2

from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device.provider.registry import IBM_EXECUTIONS, Provider
from pilot_kernel.resource.kind.vendors import showable, without_secrets

__all__ = ["PROVIDER"]


@contextmanager
def _held(backend: Any) -> Iterator[None]:
    try:
        token = backend.resource.acquire()
    except Exception as error:  # noqa: BLE001 QRMI may raise anything
        told = without_secrets(str(error))
        raise QpuError(f"QPU {backend.name} cannot be acquired through QRMI: {told}") from showable(
            error
        )
    try:
        yield
    finally:
        backend.resource.release(token)


PROVIDER = Provider(
    sampler=lambda backend, seed: SamplerV2(backend.resource),
    job=lambda backend, job_id: RuntimeJobV2(backend.resource, job_id, delete_job=True),
    executions=lambda backend: IBM_EXECUTIONS,
    held=_held,
)
