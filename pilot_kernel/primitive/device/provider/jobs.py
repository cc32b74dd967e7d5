"""Jobs of PUBs through a provider's primitives: sent once, taken up again, checked.

Each job has PUBs with equal shots, or equal precision: providers refuse others; and no more of them
than a device takes. All jobs are sent before the first is waited for. What comes back is checked
against what was asked for, so that nothing is ever filled in.
"""

import contextlib
import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit
from qiskit.primitives import PrimitiveJob
from qiskit.primitives.containers import DataBin, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from pilot_kernel.errors import QpuError, ReadoutError
from pilot_kernel.primitive.device.provider.registry import Provider, circuits_per_job, held
from pilot_kernel.primitive.device.readout import SEED_STEP
from pilot_kernel.resource.kind.vendors import showable, without_secrets
from pilot_kernel.task.process import job_notes

__all__ = ["estimate", "sample"]


def sample(
    provider: Provider, backend: BackendV2, pubs: Sequence[SamplerPub], seed: int | None = None
) -> list[PubResult]:
    """Sample PUBs that are written in a device's terms.

    Args:
        provider: The device's provider.
        backend: The device.
        pubs: The PUBs, all with shots, each of one circuit; every register has bits, and shares
            none.
        seed: For simulators.

    Raises:
        QpuError: A job was not taken, has failed, or is lost.
        ReadoutError: What came back is not what was asked for.
    """
    groups = [
        _Group(shots, start, mine[start : start + most])
        for shots, mine in _alike([pub.shots for pub in pubs])
        for most in (circuits_per_job(backend, shots) or len(mine),)
        for start in range(0, len(mine), most)
    ]
    results = _in_jobs(provider, provider.sampler, backend, pubs, groups, seed)
    for number, (pub, result) in enumerate(zip(pubs, results, strict=True)):
        _check_samples(backend, number, pub, result)
    return results


def estimate(
    provider: Provider, backend: BackendV2, pubs: Sequence[EstimatorPub], seed: int | None = None
) -> list[PubResult]:
    """Estimate PUBs that are written in a device's terms, if the provider has an estimator.

    Args:
        provider: The device's provider.
        backend: The device.
        pubs: The PUBs, all with a precision.
        seed: For simulators.

    Returns:
        With `precision_met` (False) in the metadata where a standard error is larger than that.

    Raises:
        QpuError: A job was not taken, has failed, or is lost.
        ReadoutError: What came back is not what was asked for.
    """
    assert provider.estimator is not None
    groups = [_Group(size, 0, mine) for size, mine in _alike([pub.precision for pub in pubs])]
    found = _in_jobs(provider, provider.estimator, backend, pubs, groups, seed)
    return [
        _checked_values(backend, number, pub, result)
        for number, (pub, result) in enumerate(zip(pubs, found, strict=True))
    ]


class _Group(NamedTuple):
    """PUBs that go in one job.

    Attributes:
        size: Their shots, or their precision.
        start: How many PUBs of that size are in earlier jobs.
        numbers: Which PUBs.
    """

    size: float
    start: int
    numbers: list[int]


def _alike(sizes: Sequence[Any]) -> list[tuple[Any, list[int]]]:
    """The numbers of PUBs of equal size, for each size."""
    return [
        (size, [number for number, each in enumerate(sizes) if each == size])
        for size in sorted(set(sizes))
    ]


def _in_jobs(
    provider: Provider,
    make: Callable[[Any, int | None], Any],
    backend: BackendV2,
    pubs: Sequence[Any],
    groups: Sequence[_Group],
    seed: int | None,
) -> list[PubResult]:
    found: dict[int, PubResult] = {}
    jobs: list[tuple[list[int], Any]] = []
    with held(backend):
        try:
            for size, start, mine in groups:
                some = [pubs[number] for number in mine]
                # Equal circuits in several jobs must not bring the same shots.
                primitive = make(backend, None if seed is None else seed + SEED_STEP * start)
                jobs.append((mine, _job(provider, primitive, backend, some, size)))
        except BaseException:  # without this one the others are of no use
            _cancel(jobs)
            raise
        try:
            for mine, job in jobs:
                found.update(zip(mine, _results(backend, job, len(mine)), strict=True))
        except Exception:  # they may be had from the provider by their ids, which were said
            raise
        except BaseException:  # the task was told to stop, and nobody will ask for them
            _cancel(jobs)
            raise
    return [found[number] for number in range(len(pubs))]


# ---- one job


def _job(
    provider: Provider, primitive: Any, backend: BackendV2, pubs: Sequence[Any], size: float
) -> Any:
    """The job of these PUBs: that of an earlier attempt at this task, or a new one."""
    what = f"{backend.name} {type(primitive).__name__} {_digest(pubs, size)}"
    earlier = job_notes.earlier(what)
    if earlier is not None:
        job = _taken_up(provider, backend, earlier)
        if job is not None:
            return job
        _say(f"job {earlier} at {backend.name} ran in a process that is gone; it is sent again")
    try:
        job = primitive.run(list(pubs))
    except Exception as error:  # noqa: BLE001 providers may raise anything
        raise QpuError(
            f"device {backend.name} did not accept the job: {_told(error)}"
        ) from showable(error)
    job_notes.note(what, _id(job), backend.name)
    if provider.job is not None and not isinstance(job, PrimitiveJob):  # which runs in here
        _say(f"job {_id(job)} was sent to {backend.name}")
    return job


def _taken_up(provider: Provider, backend: BackendV2, job_id: str) -> Any:
    """A job that was sent before; None where jobs cannot be had again."""
    if provider.job is None:
        return None
    try:
        job = provider.job(backend, job_id)
    except Exception as error:  # noqa: BLE001 providers may raise anything
        raise QpuError(
            f"job {job_id} was sent to {backend.name} before this task's worker was lost, and its "
            f"provider does not give it back: {_told(error)}; it is not sent twice: look for it at "
            "the provider, or submit the task again to pay for it again"
        ) from showable(error)
    if job is not None:
        _say(f"job {job_id} at {backend.name} is taken up again")
    return job


def _results(backend: BackendV2, job: Any, number: int) -> list[PubResult]:
    """What a job of so many PUBs brings."""
    try:
        answered = job.result()
    except Exception as error:  # noqa: BLE001 providers may raise anything
        raise QpuError(
            f"job {_id(job)} at {backend.name} has failed, or was lost: {_told(error)}"
        ) from showable(error)
    results = list(answered)
    if len(results) != number or not all(hasattr(each, "data") for each in results):
        raise ReadoutError(
            f"device {backend.name}: job {_id(job)} of {number} PUBs brought "
            f"{len(results)} results, or results without data"
        )
    return results


def _cancel(jobs: Sequence[tuple[list[int], Any]]) -> None:
    for _, job in jobs:
        with contextlib.suppress(Exception):  # it may be over, or past stopping
            job.cancel()


def _id(job: Any) -> str:
    return str(job.job_id())


def _say(text: str) -> None:
    print(f"[{text}]", file=sys.stderr)


def _told(error: BaseException) -> str:
    reason = getattr(error, "message", None) or str(error)
    return without_secrets(f"{type(error).__name__}: {reason}" if reason else type(error).__name__)


def _digest(pubs: Sequence[Any], size: float) -> str:
    """A name for PUBs, the same in every process that is given the same ones."""
    told = hashlib.sha256(repr(size).encode())
    for pub in pubs:
        _add(told, pub.circuit)
        told.update(pub.parameter_values.as_array(pub.circuit.parameters).tobytes())
        if isinstance(pub, EstimatorPub):
            told.update(repr(pub.observables.tolist()).encode())
    return told.hexdigest()[:32]


def _add(told: Any, circuit: QuantumCircuit) -> None:
    registers = [
        (register.name, [circuit.find_bit(bit).index for bit in register])
        for register in circuit.cregs
    ]
    told.update(repr((circuit.num_qubits, circuit.num_clbits, registers)).encode())
    for step in circuit.data:
        at = [circuit.find_bit(bit).index for bit in (*step.qubits, *step.clbits)]
        params = step.operation.params  # the step itself has no matrices
        inner = [each for each in params if isinstance(each, QuantumCircuit)]
        plain = [_written(each) for each in params if not isinstance(each, QuantumCircuit)]
        told.update(repr((step.name, at, plain, _asked(circuit, step.operation))).encode())
        for block in inner:
            _add(told, block)


def _written(value: Any) -> str:
    """A parameter of an instruction to its last digit; arrays are shortened by `str`."""
    return repr(value.tolist()) if isinstance(value, np.ndarray) else str(value)


def _asked(circuit: QuantumCircuit, operation: Any) -> str:
    """What a conditional instruction asks of which bits, which its parameters do not tell."""
    told: list[Any] = []
    for name in ("condition", "target"):
        of = getattr(operation, name, None)
        bit, value = (of[0], int(of[1])) if isinstance(of, tuple) else (of, None)
        if isinstance(bit, Clbit):
            told.append((name, circuit.find_bit(bit).index, value))
        elif bit is not None:
            told.append((name, re.sub(r" at 0x[0-9a-f]+", "", repr(bit)), value))
    if hasattr(operation, "cases_specifier"):
        told += [tuple(map(str, labels)) for labels, _ in operation.cases_specifier()]
    return repr(told)


# ---- what came back


def _check_samples(backend: BackendV2, number: int, pub: SamplerPub, result: PubResult) -> None:
    place = f"device {backend.name}: the result of PUB {number} of its job"
    for register in pub.circuit.cregs:
        bits = getattr(result.data, register.name, None)
        if bits is None:
            raise ReadoutError(f"{place} lacks the register {register.name!r}")
        came = (bits.num_bits, bits.num_shots, tuple(bits.shape))
        asked = (register.size, pub.shots, tuple(pub.shape))
        if came != asked:
            names = "{} bits, {} shots and the shape {}"
            raise ReadoutError(
                f"{place} has {names.format(*came)} in the register {register.name!r}, and "
                f"{names.format(*asked)} were asked for"
            )


def _checked_values(
    backend: BackendV2, number: int, pub: EstimatorPub, result: PubResult
) -> PubResult:
    place = f"device {backend.name}: the result of PUB {number} of its job"
    evs = np.asarray(result.data.evs, dtype=float)
    stds = np.asarray(result.data.stds, dtype=float)
    if not evs.shape == stds.shape == pub.shape:
        raise ReadoutError(f"{place} has the shape {evs.shape}, and the PUB has {pub.shape}")
    if not (np.isfinite(evs).all() and np.isfinite(stds).all() and (stds >= 0).all()):
        raise ReadoutError(f"{place} has values or errors that are no numbers")
    met = bool(np.all(stds <= pub.precision * (1 + 1e-9)))
    ours = {"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata}
    missed = {} if met else {"precision_met": False}
    metadata = {**result.metadata, **ours, **missed}
    return PubResult(DataBin(evs=evs, stds=stds, shape=pub.shape), metadata=metadata)
