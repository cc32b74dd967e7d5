"""From gates to passes: which gates are done while a tile is in the cache, and in which order.

A tile holds the qubits that its gates act on, always the lowest few (so that memory is read in
runs), and a few that no gate mixes, which come lowest in the tile (so that arithmetic fills whole
registers). Gates on other qubits wait, and what depends on them. Qubits that no pass has touched
are |0>: states start small and grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.simulate.pass_growth import Limits, best_pass
from qdreamer_lab.kernels.simulate.tile_pass import DENSE_TWO, DIAGONAL

if TYPE_CHECKING:
    from qdreamer_lab.engine.passes.gates import Gate

__all__ = ["RUN_BITS", "Operation", "Pass", "PassCosts", "plan_passes"]

RUN_BITS = 5
"""So many lowest qubits are in every tile, and so many lowest tile bits in every phase table."""

_TABLE_BITS = 11
"""Bits of a phase table: it stays in the first-level cache."""


@dataclass(frozen=True, slots=True)
class PassCosts:
    """What the planner weighs, in nanoseconds on one core.

    Attributes:
        tile_bits: Qubits in a tile: as many as the second-level cache holds twice.
        pass_ns: Reading and writing an amplitude.
        start_ns: Beginning a pass.
        dense_two_ns: A dense two-qubit gate, per amplitude.
        half_ns: A multiplexed or a dense one-qubit gate, which does half the arithmetic.
        diagonal_ns: A diagonal gate.
        crowded: Share that gates take longer where 0, 1, … qubits of a tile are mixed by none.
    """

    tile_bits: int = 15
    pass_ns: float = 2.2
    start_ns: float = 60_000.0
    dense_two_ns: float = 0.85
    half_ns: float = 0.45
    diagonal_ns: float = 0.2
    crowded: tuple[float, ...] = (0.7, 0.5, 0.3, 0.12, 0.04, 0.0)

    def weight(self, gate: Gate) -> float:
        """Time that a gate takes per amplitude."""
        if gate.kind == DENSE_TWO:
            return self.dense_two_ns
        return self.diagonal_ns if gate.kind == DIAGONAL else self.half_ns


@dataclass(frozen=True, slots=True)
class Operation:
    """One or more gates that are applied at once.

    Attributes:
        kind: As in `Gate`.
        gates: Numbers of the gates: several for a diagonal, else one.
        bits: Tile bits; of a multiplexed gate the target, then the control; of a diagonal those of
            its table, ascending.
        rank: Choices; 1 but for a branch.
    """

    kind: int
    gates: tuple[int, ...]
    bits: tuple[int, ...]
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the states.

    Attributes:
        qubits: Of each tile bit, the qubit.
        fresh: Mask of those that no pass has touched before.
        touched: Mask of the qubits that have been touched afterwards.
        operations: In order.
    """

    qubits: tuple[int, ...]
    fresh: int
    touched: int
    operations: tuple[Operation, ...]

    @property
    def growth(self) -> int:
        """How many rows become of each."""
        product = 1
        for operation in self.operations:
            product *= operation.rank
        return product


@lru_cache(maxsize=256)
def plan_passes(
    width: int, gates: tuple[Gate, ...], costs: PassCosts, *, begun: bool = False
) -> tuple[Pass, ...]:
    """Plan the passes that apply gates to |0…0⟩, or to states that are there.

    Args:
        width: Qubits, at least one.
        gates: In order of application.
        costs: What to weigh.
        begun: There are states already, in which every qubit may be anything.

    Returns:
        The passes; after the last one all qubits have been touched.
    """
    left = list(range(len(gates)))
    masks = np.array([gate.mask for gate in gates], np.int64)
    mixed = np.array([0 if gate.kind == DIAGONAL else gate.mask for gate in gates], np.int64)
    weights = np.array([costs.weight(gate) for gate in gates])
    low = (1 << min(RUN_BITS, width)) - 1
    touched, rows = ((1 << width) - 1 if begun else 0), 1
    passes = []
    while left:
        limits = Limits(
            min(costs.tile_bits, width),
            low,
            width,
            float(rows),
            costs.pass_ns,
            costs.start_ns,
            np.array(costs.crowded),
        )
        held = best_pass(masks[left], mixed[left], weights[left], touched, limits)
        taken = _taken(left, gates, held)
        passes.append(_pass(taken, gates, held | low, touched, costs))
        touched = passes[-1].touched
        rows *= passes[-1].growth
        done = set(taken)
        left = [number for number in left if number not in done]
    return (*passes, *_idle(width, touched, low, costs))


def _taken(left: list[int], gates: tuple[Gate, ...], held: int) -> list[int]:
    """The gates on these qubits that nothing blocks."""
    taken, blocked = [], 0
    for number in left:
        mask = gates[number].mask
        if mask & (blocked | ~held):
            blocked |= mask
        else:
            taken.append(number)
    return taken


def _idle(width: int, touched: int, low: int, costs: PassCosts) -> list[Pass]:
    """Passes that do nothing but write the zeros of qubits on which there is no gate."""
    passes = []
    whole = (1 << width) - 1
    while touched != whole:
        new = low & ~touched
        for qubit in range(width):
            if not touched >> qubit & 1 and (new | low).bit_count() < max(costs.tile_bits, 6):
                new |= 1 << qubit
        passes.append(_pass([], (), new | low, touched, costs))
        touched = passes[-1].touched
    return passes


def _pass(
    taken: list[int], gates: tuple[Gate, ...], held: int, touched: int, costs: PassCosts
) -> Pass:
    """Lay out the tile of a pass, and merge its diagonals."""
    used: dict[int, float] = {}
    for number in taken:
        if gates[number].kind != DIAGONAL:
            for qubit in gates[number].qubits:
                used[qubit] = used.get(qubit, 0.0) + costs.weight(gates[number])
    spare = (held & ~sum(1 << qubit for qubit in used)).bit_count()
    for qubit in range(touched.bit_length()):
        if spare >= RUN_BITS or held.bit_count() >= costs.tile_bits:
            break
        if touched & ~held & 1 << qubit:
            held |= 1 << qubit
            spare += 1
    inside = [qubit for qubit in range(held.bit_length()) if held >> qubit & 1]
    qubits = tuple(sorted(inside, key=lambda qubit: (used.get(qubit, 0.0), qubit)))
    place = {qubit: bit for bit, qubit in enumerate(qubits)}
    operations = _operations(taken, gates, place)
    return Pass(qubits, held & ~touched, touched | held, operations)


def _operations(
    taken: list[int], gates: tuple[Gate, ...], place: dict[int, int]
) -> tuple[Operation, ...]:
    """The operations of a pass; a diagonal joins an earlier one where nothing between mixes."""
    found: list[tuple[int, list[int], set[int]]] = []  # kind, gates, tile bits of a table
    behind: list[int] = []  # of each, the qubits that later operations mix
    for number in taken:
        gate = gates[number]
        bits = {place[qubit] for qubit in gate.qubits}
        if gate.kind == DIAGONAL:
            for k, (kind, members, table) in enumerate(found):
                free = kind == DIAGONAL and not behind[k] & gate.mask
                if free and len((table | bits) - set(range(RUN_BITS))) <= _TABLE_BITS - RUN_BITS:
                    members.append(number)
                    table |= bits
                    break
            else:
                found.append((gate.kind, [number], bits))
                behind.append(0)
            continue
        behind = [mask | gate.mask for mask in behind]
        found.append((gate.kind, [number], bits))
        behind.append(0)
    run = range(min(RUN_BITS, len(place)))
    return tuple(
        Operation(kind, tuple(members), tuple(sorted(table | set(run))))
        if kind == DIAGONAL
        else Operation(
            kind,
            tuple(members),
            tuple(place[qubit] for qubit in gates[members[0]].qubits),
            gates[members[0]].rank,
        )
        for kind, members, table in found
    )
