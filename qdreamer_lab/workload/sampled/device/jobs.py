"""Running variants on a device: any Qiskit backend, real or simulated with its noise.

The pilot reaches it, through its provider's own primitives where it has some.

What a device cannot run, or fails at, is a `DeviceError`, so that callers can turn to another
backend. This module must not decide how many shots a variant gets.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.primitive.device.measure import measure
from pilot_kernel.primitive.device.readout import SEED_STEP
from pilot_kernel.resource.kind.vendors import showable, without_secrets
from qdreamer_lab.errors import DeviceError
from qdreamer_lab.workload.execution.pace import Pace
from qdreamer_lab.workload.sampled.device.check import check_device, is_simulated
from qdreamer_lab.workload.sampled.device.confusion import Confusion
from qdreamer_lab.workload.sampled.device.folding import folded
from qdreamer_lab.workload.sampled.device.orders import jobs_of, orders_of
from qdreamer_lab.workload.sampled.device.splice import all_alike, splice, twirled
from qdreamer_lab.workload.sampled.shots import Drawn, ShotResult, fold
from qdreamer_lab.workload.sampled.work_sizes import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.device import DeviceOptions
    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.device.orders import Order
    from qdreamer_lab.workload.sampled.device.spliced import Spliced
    from qdreamer_lab.workload.sampled.device.transpile import Forms
    from qdreamer_lab.workload.sampled.shots import ShotRequest
    from qdreamer_lab.workload.sampled.variants import ShotFragment

__all__ = ["device_pace", "run_on_device"]


def device_pace(backend: BackendV2 | None, options: DeviceOptions) -> Pace:
    """How a round is divided into tasks on a device: in few, unless jobs cost nothing there.

    Every task finds out for itself how the device misreads qubits, so a fragment is one task where
    that is to be put right: else a seed would mean something else on more workers.
    """
    if "readout" in options.mitigation:
        return Pace(math.inf, alone=True)
    if options.mitigation or not (backend is None or is_simulated(backend)):
        return Pace(math.inf)
    return Pace()


def run_on_device(
    fragment: ShotFragment, forms: Forms, request: ShotRequest, backend: BackendV2
) -> ShotResult:
    """Run some variants of a fragment, and fold their shots.

    On a simulator every variant has a seed of its own, so that a request gives the same whatever
    it is split into, as long as no errors are to be mitigated.

    Args:
        fragment: The fragment, for the binding in question.
        forms: Its circuits for this backend, with all parameters bound.
        request: Which variants, and how many shots each.
        backend: Where to run.

    Raises:
        DeviceError: If the device cannot run them, or fails, or reads a qubit no better than by
            chance where that is to be put right.
    """
    start = time.perf_counter()
    check_device((fragment,), backend, midway=forms.midway)
    variants = request.variants.tolist()
    made = {
        variant: folded(splice(fragment, forms, variant), forms.noise_factor, backend)
        for variant in set(variants)
    }
    spliced = [made[variant] for variant in variants]
    live = [k for k, each in enumerate(spliced) if each.circuit.num_clbits]
    orders = orders_of(request, live, forms, backend)
    qubits = sorted({qubit for variant in made.values() for qubit in variant.qubits})
    circuits = _circuits(orders, spliced, qubits, forms, request, backend)
    bits = _bits(orders, circuits, request, backend)
    parts: dict[int | None, list[NDArray[np.bool_]]] = defaultdict(list)
    for order in orders:
        parts[order.place].append(bits[order.number])
    confusion = None
    if shown := parts.get(None):
        seed = (*request.seed, int(request.places[0]), 1)
        confusion = Confusion.seen(backend.name, qubits, shown[0], shown[1], seed)
    drawn = (
        _drawn(
            fragment.basis(variant),
            spliced[k],
            parts[k] or [np.zeros((int(request.shots[k]), 0), dtype=bool)],
            (*request.seed, int(request.places[k])),
            confusion,
        )
        for k, variant in enumerate(variants)
    )
    tensor, samples = fold(fragment, request, drawn)
    besides = sum(map(len, shown or ()))
    return ShotResult(tensor, samples, time.perf_counter() - start, besides)


def _circuits(
    orders: Sequence[Order],
    spliced: Sequence[Spliced],
    qubits: Sequence[int],
    forms: Forms,
    request: ShotRequest,
    backend: BackendV2,
) -> dict[int, QuantumCircuit]:
    """The circuit of each order, by its number."""
    twirls: dict[int, list[QuantumCircuit]] = {}
    found = {}
    for number, place, part, _ in orders:
        if place is None:
            found[number] = all_alike(forms, qubits, part)
            continue
        if place not in twirls:
            count = sum(order.place == place for order in orders) if part == 0 else 1
            seed = np.random.SeedSequence((*request.seed, int(request.places[place]), 2))
            twirls[place] = twirled(spliced[place].circuit, count, seed, backend)
        found[number] = twirls[place][part]
    return found


def _bits(
    orders: Sequence[Order],
    circuits: Mapping[int, QuantumCircuit],
    request: ShotRequest,
    backend: BackendV2,
) -> dict[int, NDArray[np.bool_]]:
    """(shots, bits) of each order, by its number."""
    parts: dict[int, list[NDArray[np.bool_]]] = defaultdict(list)
    simulated = is_simulated(backend)
    for place, job in enumerate(jobs_of(orders, backend)):
        numbers, count = [order.number for order, _ in job], job[0][1]
        # Elsewhere a circuit is in several jobs, which must not have the same shots.
        entropy = request.seed if simulated or place == 0 else (*request.seed, place)
        base = int(np.random.SeedSequence(entropy).generate_state(1)[0]) >> 2
        seed = base + SEED_STEP * numbers[0]
        found = _run([circuits[number] for number in numbers], count, seed, backend)
        for number, measured in zip(numbers, found, strict=True):
            parts[number].append(measured)
    return {number: np.concatenate(part) for number, part in parts.items()}


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


def _drawn(
    basis: Basis,
    spliced: Spliced,
    parts: Sequence[NDArray[np.bool_]],
    seed: tuple[int, ...],
    confusion: Confusion | None,
) -> Drawn:
    """Count shots of one variant.

    Shots of one circuit are dealt into groups. Where Paulis around gates differ from circuit to
    circuit, each circuit is a group, since its shots have more in common than chance.

    Args:
        basis: In which it was measured.
        spliced: The variant.
        parts: (shots, bits) of each of its circuits.
        seed: Of the dealing.
        confusion: How bits are misread, if that is to be put right.
    """
    bits = np.concatenate(parts)
    shots = len(bits)
    if len(parts) > 1:
        group = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    else:
        # Some backends hand out shots sorted; groups dealt from a sorted deck would be too alike.
        bits = np.random.default_rng(seed).permutation(bits)
        group = np.arange(shots) % min(shots, GROUPS)
    counts = np.bincount(group)
    if confusion is not None and spliced.circuit.num_clbits:
        sums, moves = confusion.corrected(spliced, basis, bits, group)
        return Drawn(sums, counts, moves)
    sums = np.zeros((len(counts), 1 << spliced.num_outcome_bits, len(basis.operators)))
    hits = spliced.hits(bits)
    if len(parts) > 1:
        for k in range(len(parts)):
            basis.count(hits[group == k], spliced.num_local, sums[k : k + 1])
    else:
        basis.count(hits, spliced.num_local, sums)
    return Drawn(sums, counts)
