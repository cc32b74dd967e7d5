"""A pass as plain arrays: where a tile lies in memory, and the coefficients of its operations.

Cores and GPUs take the same arrays.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.passes.plan import RUN_BITS
from qdreamer_lab.kernels.simulate.tile_pass import DENSE_TWO, DIAGONAL, MULTIPLEXED, TilePass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Operation, Pass

__all__ = ["tile_arrays"]

_NOTHING = np.zeros(0)

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
    found = [
        _table(each, step.qubits, gates, coefficients)
        if each.kind == DIAGONAL
        else coefficients[each.gates[0]]
        for each in step.operations
    ]
    flat = np.concatenate(found) if found else np.zeros(0, np.complex128)
    real, imag = flat.real.astype(dtype), flat.imag.astype(dtype)
    return _layout(step, width)._replace(real=real, imag=imag)


@lru_cache(maxsize=1024)
def _layout(step: Pass, width: int) -> TilePass:
    """All of a pass but its coefficients; programs differ in these more often than in the rest."""
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
    operations = step.operations
    bits = [(*operation.bits, 0, 0)[:2] for operation in operations]
    run = 1 << min(RUN_BITS, len(qubits))
    ranks = [run if each.kind == DIAGONAL else each.rank for each in operations]
    sizes = [_size(each) for each in operations]
    starts = [_starts(each.bits, len(qubits)) for each in operations if each.kind == DIAGONAL]
    entries = [(each.kind == DIAGONAL) << len(qubits) for each in operations]
    return TilePass(
        loaded=1 << read if started else 0,
        sources=_sums([1 << qubit for qubit in ahead]),
        targets=_sums([1 << place[qubit] for qubit in ahead]),
        spread=_sums([1 << place[qubit] for qubit in range(run_bits)]),
        plain=plain >= run_bits,
        outer=np.array([1 << qubit for qubit in outside], np.int64),
        kinds=np.array([each.kind for each in operations], np.int64),
        bits=np.array(bits, np.int64).reshape(-1, 2),
        first=np.cumsum([0, *sizes], dtype=np.int64)[:-1],
        ranks=np.array(ranks, np.int64),
        entries=np.cumsum([0, *entries], dtype=np.int64)[:-1] // run,
        starts=np.concatenate([np.zeros(0, np.int32), *starts]),
        real=_NOTHING,
        imag=_NOTHING,
    )


def _size(operation: Operation) -> int:
    """How many coefficients it has."""
    if operation.kind == DIAGONAL:
        return 1 << len(operation.bits)
    return {DENSE_TWO: 16, MULTIPLEXED: 8}.get(operation.kind, 4 * operation.rank)


def _sums(steps: list[int]) -> NDArray[np.int64]:
    """Σ of the steps whose bits are set, for all numbers of so many bits."""
    sums = np.zeros(1, np.int64)
    for step in steps:
        sums = np.concatenate([sums, sums + step])
    return sums


def _table(
    operation: Operation,
    qubits: tuple[int, ...],
    gates: Sequence[Gate],
    coefficients: Sequence[NDArray[np.complex128]],
) -> NDArray[np.complex128]:
    """(2**bits,) the product of diagonals on the bits of a table."""
    size = len(operation.bits)
    place = {qubits[bit]: size - 1 - k for k, bit in enumerate(operation.bits)}  # the axis
    table = np.ones((2,) * size, np.complex128)
    for number in operation.gates:
        axes = [place[qubit] for qubit in gates[number].qubits]
        entries = coefficients[number].reshape((2,) * len(axes))  # the last qubit comes first
        if axes == sorted(axes):
            entries = entries.T
        shape = [1] * size
        for axis in axes:
            shape[axis] = 2
        table *= entries.reshape(shape)
    return table.ravel()


def _starts(bits: tuple[int, ...], tile_bits: int) -> NDArray[np.int32]:
    """Where in a table the entries of each run of a tile begin."""
    run_bits = min(RUN_BITS, tile_bits)
    weight = {bit: 1 << k for k, bit in enumerate(bits)}
    steps = [weight.get(bit, 0) for bit in range(run_bits, tile_bits)]
    return _sums(steps).astype(np.int32)
