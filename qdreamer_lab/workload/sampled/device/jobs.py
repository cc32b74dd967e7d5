"""Running variants on a device: any Qiskit backend, real or simulated with its noise.

The pilot reaches it, through its provider's own primitives where it has some.

What a device cannot run, or fails at, is a `DeviceError`, so that callers can turn to another
backend. This module must not decide how many shots a variant gets.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.primitive.device.measure import measure
from pilot_kernel.primitive.device.readout import SEED_STEP
from pilot_kernel.resource.kind.vendors import showable, without_secrets
from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.execution.pace import Pace
from qdreamer_lab.workload.sampled.device.check import check_device, is_simulated
from qdreamer_lab.workload.sampled.device.splice import splice
from qdreamer_lab.workload.sampled.shots import ShotResult, fold
from qdreamer_lab.workload.sampled.work_sizes import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.splice import Spliced
    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.shots import ShotRequest
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["device_pace", "jobs_of", "run_on_device"]


def device_pace(backend: BackendV2 | None) -> Pace:
    """How a round is divided into tasks on a device: in few, unless jobs cost nothing there."""
    return Pace() if backend is None or is_simulated(backend) else Pace(math.inf)


def run_on_device(
    fragment: ShotFragment, forms: Forms, request: ShotRequest, backend: BackendV2
) -> ShotResult:
    """Run some variants of a fragment, and fold their shots.

    On a simulator every variant has a seed of its own, so that a request gives the same whatever
    it is split into. On other devices all variants go in as few jobs as the device takes: one for
    each number of shots, or for each power of two in such numbers.

    Args:
        fragment: The fragment, for the binding in question.
        forms: Its circuits for this backend, with all parameters bound.
        request: Which variants, and how many shots each.
        backend: Where to run.

    Raises:
        DeviceError: If the device cannot run them, or fails.
    """
    start = time.perf_counter()
    check_device((fragment,), backend, midway=forms.midway)
    variants = request.variants.tolist()
    made = {variant: splice(fragment, forms, variant) for variant in set(variants)}
    spliced = [made[variant] for variant in variants]
    seeds = [(*request.seed, request.first + k) for k in range(len(variants))]
    bits = _bits(spliced, request, backend)
    drawn = (_sums(fragment, *each) for each in zip(variants, spliced, bits, seeds, strict=True))
    tensor, samples = fold(fragment, request, drawn)
    return ShotResult(tensor, samples, time.perf_counter() - start)


def _bits(
    spliced: Sequence[Spliced], request: ShotRequest, backend: BackendV2
) -> list[NDArray[np.bool_]]:
    """(shots, bits) of each circuit; those that measure nothing need not run."""
    shots = request.shots.tolist()
    live = [k for k, each in enumerate(spliced) if each.circuit.num_clbits]
    parts: list[list[NDArray[np.bool_]]] = [[] for _ in shots]
    base = int(np.random.SeedSequence(request.seed).generate_state(1)[0]) >> 2
    for job in jobs_of(live, shots, backend):
        circuits, count = [spliced[k].circuit for k, _ in job], job[0][1]
        seed = base + SEED_STEP * (request.first + job[0][0])
        for (k, _), measured in zip(job, _run(circuits, count, seed, backend), strict=True):
            parts[k].append(measured)
    return [
        np.concatenate(part) if part else np.zeros((count, 0), dtype=bool)
        for part, count in zip(parts, shots, strict=True)
    ]


def jobs_of(live: list[int], shots: list[int], backend: BackendV2) -> list[list[tuple[int, int]]]:
    """Which circuits go into which call of the device, and with how many shots.

    Args:
        live: Places of the circuits that measure anything.
        shots: Of every circuit.
        backend: The device.
    """
    if not live:
        return []
    if is_simulated(backend):
        return _runs_of_neighbours(live, shots, backend.max_circuits or len(live))
    whole = [(k, shots[k]) for k in live]
    # All circuits of a job have the same shots. Powers of two need few jobs for any numbers.
    equal = [
        [each for each in whole if each[1] == count] for count in sorted({c for _, c in whole})
    ]
    bits = range(max(shots).bit_length())
    powers = [[(k, 1 << bit) for k, count in whole if count >> bit & 1] for bit in bits]
    return min(equal, [job for job in powers if job], key=len)


def _runs_of_neighbours(
    live: list[int], shots: list[int], most: int
) -> list[list[tuple[int, int]]]:
    """Jobs of neighbours with equal shots only.

    The seeds that a simulator gives to the circuits of such a job are those it would give them in
    any other.
    """
    jobs: list[list[tuple[int, int]]] = []
    for k in live:
        last = jobs[-1] if jobs else []
        if last and last[-1] == (k - 1, shots[k]) and len(last) < most:
            last.append((k, shots[k]))
        else:
            jobs.append([(k, shots[k])])
    return jobs


def _run(
    circuits: list[QuantumCircuit], shots: int, seed: int, backend: BackendV2
) -> list[NDArray[np.bool_]]:
    """One call of the device, whose failures are its own; (shots, bits) of each circuit."""
    try:
        found = measure(backend, circuits, shots, seed=seed)
    except Exception as error:  # noqa: BLE001 devices may raise anything
        reason = getattr(error, "message", str(error)) or type(error).__name__
        told = f"a job failed: {without_secrets(reason)}"
        raise DeviceError(backend.name, told) from showable(error)
    return [readout.shot_by_shot((seed, k)) for k, readout in enumerate(found)]


def _sums(
    fragment: ShotFragment,
    variant: int,
    spliced: Spliced,
    bits: NDArray[np.bool_],
    seed: tuple[int, ...],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Count shots of one variant: sums (groups, outcomes, operators) and counts (groups,)."""
    basis, shots = fragment.basis(variant), len(bits)
    # Some backends hand out shots sorted; groups dealt from a sorted deck would be too alike.
    hits = np.random.default_rng(seed).permutation(spliced.hits(bits))
    groups = min(shots, GROUPS)
    sums = np.zeros((groups, 1 << spliced.num_outcome_bits, len(basis.operators)))
    basis.count(hits, spliced.num_local, sums)
    counts = np.full(groups, shots // groups)
    counts[: shots % groups] += 1
    return sums, counts
