"""A pass as plain arrays: where a tile lies in memory, and the coefficients of its operations.

Cores and GPUs take the same arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.passes.plan import RUN_BITS
from qdreamer_lab.kernels.simulate.tile_pass import DIAGONAL, TilePass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Operation, Pass

__all__ = ["tile_arrays"]

_PLAIN_BITS = 4
"""From so many on, the lowest qubits make runs that are worth their own loop."""


def tile_arrays(
    step: Pass,
    width: int,
    gates: Sequence[Gate],
    coefficients: Sequence[NDArray[np.complex128]],
    dtype: np.dtype[np.floating],
) -> TilePass:
    """Write down a pass.

    Args:
        step: The pass.
        width: Qubits of a state.
        gates: All gates.
        coefficients: Of all gates, as `read_gates` gives them.
        dtype: Of real and imaginary parts.
    """
    qubits = step.qubits
    started = step.fresh & 1 == 0  # every tile holds qubit 0
    known = ~step.fresh if started else ~0  # nothing is read in the first pass
    plain = 0
    while plain < len(qubits) and qubits[plain] == plain and known >> plain & 1:
        plain += 1
    run_bits = min(plain if plain >= _PLAIN_BITS else RUN_BITS, len(qubits))
    place = {qubit: bit for bit, qubit in enumerate(qubits)}
    ahead = [qubit for qubit in sorted(qubits) if qubit >= run_bits]
    # Runs whose fresh qubits are 0 come first: only those are read.
    ahead.sort(key=lambda qubit: step.fresh >> qubit & 1)
    read = sum(1 for qubit in ahead if not step.fresh >> qubit & 1)
    outside = [q for q in range(width) if step.touched >> q & 1 and q not in place]
    real, first, starts, entries = _coefficients(step.operations, qubits, gates, coefficients)
    operations = step.operations
    bits = [(*operation.bits, 0, 0)[:2] for operation in operations]
    run = 1 << min(RUN_BITS, len(qubits))
    ranks = [run if each.kind == DIAGONAL else each.rank for each in operations]
    return TilePass(
        loaded=1 << read if started else 0,
        sources=_sums([1 << qubit for qubit in ahead]),
        targets=_sums([1 << place[qubit] for qubit in ahead]),
        spread=_sums([1 << place[qubit] for qubit in range(run_bits)]),
        plain=plain >= run_bits,
        outer=np.array([1 << qubit for qubit in outside], np.int64),
        kinds=np.array([each.kind for each in operations], np.int64),
        bits=np.array(bits, np.int64).reshape(-1, 2),
        first=np.array(first, np.int64),
        ranks=np.array(ranks, np.int64),
        entries=np.array(entries, np.int64),
        starts=starts,
        real=np.ascontiguousarray(real.real, dtype),
        imag=np.ascontiguousarray(real.imag, dtype),
    )


def _sums(steps: list[int]) -> NDArray[np.int64]:
    """Σ of the steps whose bits are set, for all numbers of so many bits."""
    sums = np.zeros(1, np.int64)
    for step in steps:
        sums = np.concatenate([sums, sums + step])
    return sums


def _coefficients(
    operations: tuple[Operation, ...],
    qubits: tuple[int, ...],
    gates: Sequence[Gate],
    coefficients: Sequence[NDArray[np.complex128]],
) -> tuple[NDArray[np.complex128], list[int], NDArray[np.int32], list[int]]:
    """Coefficients of all operations, where those of each begin, and the same of phase tables."""
    found: list[NDArray[np.complex128]] = []
    starts: list[NDArray[np.int32]] = []
    first, entries, size, runs = [], [], 0, 0
    for operation in operations:
        first.append(size)
        entries.append(runs)
        if operation.kind == DIAGONAL:
            place = {qubits[bit]: k for k, bit in enumerate(operation.bits)}
            found.append(_table(operation.gates, place, gates, coefficients))
            starts.append(_starts(operation.bits, len(qubits)))
            runs += len(starts[-1])
        else:
            found.append(coefficients[operation.gates[0]])
        size += len(found[-1])
    flat = np.concatenate(found) if found else np.zeros(0, np.complex128)
    return flat, first, np.concatenate([np.zeros(0, np.int32), *starts]), entries


def _table(
    members: tuple[int, ...],
    place: dict[int, int],
    gates: Sequence[Gate],
    coefficients: Sequence[NDArray[np.complex128]],
) -> NDArray[np.complex128]:
    """(2**bits,) the product of diagonals on the bits of a table."""
    table = np.ones((2,) * len(place), np.complex128)
    for number in members:
        bits = [place[qubit] for qubit in gates[number].qubits]
        entries = coefficients[number].reshape((2,) * len(bits))  # the last qubit comes first
        shape = [1] * len(place)
        if len(bits) == 2 and bits[1] < bits[0]:
            entries = entries.T
        for bit in bits:
            shape[len(place) - 1 - bit] = 2
        table = table * entries.reshape(shape)
    return table.ravel()


def _starts(bits: tuple[int, ...], tile_bits: int) -> NDArray[np.int32]:
    """Where in a table the entries of each run of a tile begin."""
    run_bits = min(RUN_BITS, tile_bits)
    weight = {bit: 1 << k for k, bit in enumerate(bits)}
    steps = [weight.get(bit, 0) for bit in range(run_bits, tile_bits)]
    return _sums(steps).astype(np.int32)
