"""Plans from qiskit-addon-cutting's subcircuits: the halves of each cut are joined again.

Only the joining is done here; `circuits.py` reads the cut circuit that comes of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.circuit import Barrier

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.addon.circuits import cut_wire, read_cut_circuit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qiskit.circuit import CircuitInstruction

    from qdreamer_lab.workload.cut.partition import Partition

__all__ = ["join_subcircuits", "read_subcircuits"]

Place = tuple[Hashable, int]
"""A qubit of a subcircuit: the subcircuit's key, and the qubit's index there."""


@dataclass(frozen=True)
class _Step:
    """One instruction, or both halves of a cut."""

    operation: Any
    places: tuple[Place, ...]


def read_subcircuits(
    subcircuits: Mapping[Hashable, QuantumCircuit], max_qubits: int | None = None
) -> Partition:
    """Read the subcircuits of a partitioned problem.

    Wires are numbered subcircuit by subcircuit, by the qubit on which each begins.

    Args:
        subcircuits: As `partition_problem` returns them, with `SingleQubitQPDGate`s whose labels
            end in the number of their cut.
        max_qubits: The width to keep to; by default that of the widest fragment.

    Raises:
        CircuitError: If a cut lacks a half, the subcircuits contradict each other's order, a
            qubit is used again after its wire was cut, or an instruction cannot be read.
        PlanError: If a fragment is wider than `max_qubits`.
    """
    return read_cut_circuit(join_subcircuits(subcircuits), max_qubits)


def join_subcircuits(subcircuits: Mapping[Hashable, QuantumCircuit]) -> QuantumCircuit:
    """The cut circuit, with `TwoQubitQPDGate` and `CutWire`, that the subcircuits are parts of.

    Raises:
        CircuitError: As for `read_subcircuits`.
    """
    steps = _in_order(_steps(subcircuits))
    places = [(key, at) for key, part in subcircuits.items() for at in range(part.num_qubits)]
    targets = {step.places[1] for step in steps if _is_move(step.operation)}
    wires = [place for place in places if place not in targets]
    wire_at = {place: wire for wire, place in enumerate(wires)}
    joined = QuantumCircuit(len(wires))
    left: set[Place] = set()
    for step in steps:
        _check_not_left(step, left)
        if _is_move(step.operation):
            source, target = step.places
            if target in wire_at:
                raise CircuitError(f"{_shown(target)} is used before a cut wire begins on it")
            wire_at[target] = wire_at[source]
            left.add(source)
            joined.append(cut_wire(), [wire_at[source]])
        elif all(place in wire_at for place in step.places):
            joined.append(step.operation, [wire_at[place] for place in step.places])
        else:
            raise CircuitError(f"{_shown(step.places[0])} is used before a cut wire begins on it")
    return joined


def _check_not_left(step: _Step, left: set[Place]) -> None:
    for place in step.places:
        if place in left:
            raise CircuitError(f"{_shown(place)} is used again after its wire was cut")


def _shown(place: Place) -> str:
    return f"qubit {place[1]} of subcircuit {place[0]!r}"


def _steps(subcircuits: Mapping[Hashable, QuantumCircuit]) -> list[tuple[_Step, tuple[int, ...]]]:
    """Every step with the numbers of the steps that come just before it on its qubits."""
    from qiskit_addon_cutting.qpd import SingleQubitQPDGate

    halves: dict[int, list[tuple[Place, Any]]] = defaultdict(list)
    numbered: dict[int, _Step] = {}
    before: dict[int, list[int]] = defaultdict(list)
    cut_numbers: dict[int, int] = {}
    latest: dict[Place, int] = {}
    for places, instruction in _instructions(subcircuits):
        operation = instruction.operation
        if isinstance(operation, SingleQubitQPDGate):
            cut = _cut_number(operation)
            number = cut_numbers.setdefault(cut, len(numbered))
            numbered.setdefault(number, _Step(None, ()))
            halves[cut].append((places[0], operation))
        else:
            number = len(numbered)
            numbered[number] = _Step(operation, places)
        before[number] += [latest[place] for place in places if place in latest]
        latest.update(dict.fromkeys(places, number))
    for cut, number in cut_numbers.items():
        numbered[number] = _joined(cut, halves[cut])
    return [(step, tuple(before[number])) for number, step in numbered.items()]


def _instructions(
    subcircuits: Mapping[Hashable, QuantumCircuit],
) -> Iterator[tuple[tuple[Place, ...], CircuitInstruction]]:
    for key, circuit in subcircuits.items():
        for step in circuit.data:
            if not isinstance(step.operation, Barrier):
                yield tuple((key, circuit.find_bit(q).index) for q in step.qubits), step


def _cut_number(half: Any) -> int:
    number = str(half.label).rpartition("_")[2]
    if not number.isdecimal():
        raise CircuitError(
            f"a half of a cut is labelled {half.label!r}; its label ends in _ and the cut's number"
        )
    return int(number)


def _joined(cut: int, halves: list[tuple[Place, Any]]) -> _Step:
    """Both halves as one, in the order of the qubits of the gate that was cut."""
    from qiskit_addon_cutting.qpd import TwoQubitQPDGate

    if sorted(half.qubit_id for _, half in halves) != [0, 1]:
        where = ", ".join(_shown(place) for place, _ in halves)
        raise CircuitError(f"cut {cut} needs two halves, one of each side; there is {where}")
    (first, half), (second, other_half) = sorted(halves, key=lambda half: half[1].qubit_id)
    if half.basis != other_half.basis:
        raise CircuitError(f"the halves of cut {cut} are of different gates")
    label = str(half.label).rpartition("_")[0]
    return _Step(TwoQubitQPDGate(half.basis, label=label), (first, second))


def _in_order(steps: list[tuple[_Step, tuple[int, ...]]]) -> list[_Step]:
    sorter = TopologicalSorter({number: before for number, (_, before) in enumerate(steps)})
    try:
        return [steps[number][0] for number in sorter.static_order()]
    except CycleError as error:
        raise CircuitError("the subcircuits contradict each other's order of cuts") from error


def _is_move(operation: Any) -> bool:
    """Whether a cut is that of a wire."""
    from qiskit_addon_cutting.qpd import TwoQubitQPDGate

    return isinstance(operation, TwoQubitQPDGate) and bool(operation.basis == _move_basis())


@lru_cache(maxsize=1)
def _move_basis() -> Any:
    from qiskit_addon_cutting.instructions import Move
    from qiskit_addon_cutting.qpd import QPDBasis

    return QPDBasis.from_instruction(Move())
