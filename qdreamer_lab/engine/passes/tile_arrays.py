"""Passes as plain arrays: where a tile lies in memory, and the coefficients of its operations.

Cores and GPUs take the same arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.passes.plan import RUN_BITS, plan_passes
from qdreamer_lab.engine.passes.rows import jumps_of, strides_of
from qdreamer_lab.kernels.simulate.gate_coefficients import gather_coefficients
from qdreamer_lab.kernels.simulate.tile_pass import DIAGONAL, TilePass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Operation, Pass, PassCosts

__all__ = ["LaidPass", "lay_out"]

_NOTHING = np.zeros(0)

_PLAIN_BITS = 4
"""From so many on, the lowest qubits make runs that are worth their own loop."""


@dataclass(frozen=True, eq=False, slots=True)
class LaidPass:
    """All of a pass but its coefficients: programs differ in these more often than in the rest.

    Attributes:
        step: The pass.
        tile: Its arrays, without coefficients.
        jumps: (growth,) how far from its row each combination of its choices lies.
        records: (k, 5) how its coefficients come from those of the gates, for
            `gather_coefficients`.
        size: How many it has.
    """

    step: Pass
    tile: TilePass
    jumps: NDArray[np.int64]
    records: NDArray[np.int64]
    size: int

    def with_coefficients(
        self, coefficients: NDArray[np.complex128], dtype: np.dtype[np.floating]
    ) -> TilePass:
        """The arrays of the pass for some program.

        Args:
            coefficients: Of all its gates, as `read_gates` gives them.
            dtype: Of real and imaginary parts.
        """
        found = np.empty((2, self.size))
        gather_coefficients(coefficients, self.records, found)
        real, imag = found.astype(dtype, copy=False)
        return self.tile._replace(real=real, imag=imag)


@lru_cache(maxsize=128)
def lay_out(
    width: int, gates: tuple[Gate, ...], costs: PassCosts, *, begun: bool = False
) -> tuple[LaidPass, ...]:
    """Plan the passes that apply gates to |0…0⟩, or to states that are there; write them down.

    Args:
        width: Qubits of a state, at least one.
        gates: In order of application.
        costs: What to weigh.
        begun: There are states already, in which every qubit may be anything.
    """
    strides = strides_of(gates)
    places = [0, *accumulate(gate.size for gate in gates)]
    return tuple(
        LaidPass(
            step,
            _layout(step, width, gates),
            jumps_of(step, strides),
            _records(step, gates, places),
            sum(_size(each, gates) for each in step.operations),
        )
        for step in plan_passes(width, gates, costs, begun=begun)
    )


def _layout(step: Pass, width: int, gates: Sequence[Gate]) -> TilePass:
    """Where the tiles of a pass lie, and what is done in them."""
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
    sizes = [_size(each, gates) for each in operations]
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


def _size(operation: Operation, gates: Sequence[Gate]) -> int:
    """How many coefficients it has."""
    if operation.kind == DIAGONAL:
        return 1 << len(operation.bits)
    return gates[operation.gates[0]].size


def _records(step: Pass, gates: Sequence[Gate], places: Sequence[int]) -> NDArray[np.int64]:
    """`LaidPass.records` of a pass, where the coefficients of each gate begin at these places."""
    records: list[tuple[int, ...]] = []
    at = 0
    for each in step.operations:
        size = _size(each, gates)
        if each.kind == DIAGONAL:
            bit_of = {step.qubits[bit]: k for k, bit in enumerate(each.bits)}
            records.append((at, size, -1, -1, -1))
            for number in each.gates:
                bits = [bit_of[qubit] for qubit in gates[number].qubits]
                records.append((at, size, places[number], *bits, -1)[:5])
        else:
            records.append((at, size, places[each.gates[0]], -1, -1))
        at += size
    return np.array(records, np.int64).reshape(-1, 5)


def _sums(steps: list[int]) -> NDArray[np.int64]:
    """Σ of the steps whose bits are set, for all numbers of so many bits."""
    sums = np.zeros(1, np.int64)
    for step in steps:
        sums = np.concatenate([sums, sums + step])
    return sums


def _starts(bits: tuple[int, ...], tile_bits: int) -> NDArray[np.int32]:
    """Where in a table the entries of each run of a tile begin."""
    run_bits = min(RUN_BITS, tile_bits)
    weight = {bit: 1 << k for k, bit in enumerate(bits)}
    steps = [weight.get(bit, 0) for bit in range(run_bits, tile_bits)]
    return _sums(steps).astype(np.int32)
