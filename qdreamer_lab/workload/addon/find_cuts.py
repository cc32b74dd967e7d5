"""`find_cuts` with the signature of qiskit-addon-cutting's, so that one import can be swapped.

It cuts at the instructions of the given circuit, without merging any, so that whoever asked finds
their own gates again. A cut gate costs what the addon's decomposition of it costs, which is more
than it must for some gates. It must not look at fragments or run anything.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Barrier, CircuitInstruction
from qiskit.circuit.library import UnitaryGate

from pilot_kernel.primitive.circuit.measured_at_end import without_measurements_at_end
from qdreamer_lab.errors import PlanError
from qdreamer_lab.search.problem import CutProblem
from qdreamer_lab.workload.addon.circuits import (
    check_markers,
    cut_gate,
    cut_wire,
    is_cut_gate,
    is_cut_wire,
    renamed_for_addon,
)
from qdreamer_lab.workload.circuit.gates import check_is_circuit, two_qubit_gates
from qdreamer_lab.workload.circuit.unrolling import leaves
from qdreamer_lab.workload.cut.cuts import WIRE_CUT_GAMMA
from qdreamer_lab.workload.cut.options import SearchOptions
from qdreamer_lab.workload.cut.search_messages import searching
from qdreamer_lab.workload.cut.widths import read_devices
from qdreamer_lab.workload.cut.wire_segments import layout_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import Found
    from qdreamer_lab.workload.circuit.gates import FlatGate
    from qdreamer_lab.workload.cut.widths import Devices

__all__ = ["find_cuts"]


class Optimization(Protocol):
    """What is read of the addon's `OptimizationParameters`, besides what there need not be."""

    seed: int | None
    gate_lo: bool
    wire_lo: bool


class Constraints(Protocol):
    """What is read of the addon's `DeviceConstraints`."""

    qubits_per_subcircuit: Devices


_ADDON_BACKJUMPS = 10_000
"""The addon's own `max_backjumps`, which nobody who gives none has asked for."""


def find_cuts(
    circuit: QuantumCircuit, optimization: Optimization, constraints: Constraints
) -> tuple[QuantumCircuit, dict[str, Any]]:
    """Find where to cut a circuit; a drop-in for `qiskit_addon_cutting.find_cuts`.

    Args:
        circuit: Unitary, without gates on more than two qubits. Parameters of one-qubit gates may
            be unbound, wires may begin with a reset, and measurements at the end are left out.
        optimization: The addon's `OptimizationParameters`, or anything with its `seed`, `gate_lo`
            and `wire_lo`. A seed of None is the same as 0. A plan whose gamma is above `max_gamma`
            comes with a warning; the addon returns the first one it sees then. `max_backjumps`
            bounds a search that is not made here, so that any but the addon's own value leads to a
            warning that it has no effect.
        constraints: The addon's `DeviceConstraints`, or anything with `qubits_per_subcircuit`,
            which may also name devices, as `plan_cuts` takes them.

    Returns:
        The circuit with its cuts as the addon's `TwoQubitQPDGate` and `CutWire` instructions, and
        a dictionary: `cuts`, a list of ("Gate Cut" or "Wire Cut", index into the data of that
        circuit); `sampling_overhead`, the factor on shots if every cut is decomposed on its own;
        `minimum_reached`, whether that is proven to be the least. What the addon could not
        partition is written so that it can: a barrier across fragments is split, and phases become
        that of the circuit.

    Raises:
        CircuitError: If the circuit holds something that cannot be cut (where, and what to do).
        InfeasiblePlanError: If no plan keeps to the width with the allowed kinds of cuts.
        PlanError: If the settings make no sense.

    Warns:
        UserWarning: Where `max_gamma` cannot be kept, or `max_backjumps` has no effect.
    """
    check_is_circuit(circuit)
    allowed = {"gate": optimization.gate_lo, "wire": optimization.wire_lo}
    kinds = tuple(kind for kind, wanted in allowed.items() if wanted)
    if not kinds:
        raise PlanError("neither gate_lo nor wire_lo: there is nothing left to cut")
    width, devices = read_devices(constraints.qubits_per_subcircuit)
    max_gamma = _max_gamma(optimization)
    _check_backjumps(optimization)
    seed = 0 if optimization.seed is None else optimization.seed
    options = SearchOptions(kinds, seed=seed, devices=devices)
    circuit = _without_bits(circuit)
    gates = two_qubit_gates(circuit)
    forms = [_form(circuit.data[gate.source], gate) for gate in gates]
    pairs = np.array([gate.qubits for gate in gates], dtype=np.int64).reshape(-1, 2)
    found = _search(circuit.num_qubits, pairs, _prices(forms), width, options)
    _warn_above(max_gamma, found)
    wires = _wires_cut_before(pairs, found.labels)
    instead = {
        gate.source: form
        for gate, form, (low, high) in zip(gates, forms, found.labels.tolist(), strict=True)
        if low != high
    }
    marked = _marked(circuit, gates, instead, wires, found.labels)
    return marked, {
        "cuts": _cuts_in(marked),
        "sampling_overhead": _overhead(marked),
        "minimum_reached": found.proven_optimal,
    }


def _without_bits(circuit: QuantumCircuit) -> QuantumCircuit:
    """Without measurements at the end, and then without classical bits: the addon takes none."""
    bare = without_measurements_at_end(circuit)
    if bare is circuit:
        return circuit
    made = QuantumCircuit(
        circuit.qubits,
        *circuit.qregs,
        name=circuit.name,
        global_phase=circuit.global_phase,
        metadata=circuit.metadata,
    )
    for step in bare.data:
        if step.clbits:
            return bare  # what reads them is refused, and said where
        made.append(step, copy=False)
    return made


def _search(
    num_qubits: int,
    pairs: NDArray[np.int64],
    prices: NDArray[np.float64],
    max_qubits: int,
    options: SearchOptions,
) -> Found:
    from qdreamer_lab.search.finder import search

    with searching():
        problem = CutProblem(
            num_qubits, pairs, prices, max_qubits, kinds=options.kinds, devices=options.devices
        )
        return search(problem, time_limit_s=options.time_limit_s, seed=int(options.seed))


def _max_gamma(optimization: Optimization) -> float:
    """The greatest gamma that is wanted; infinite if none is named.

    Raises:
        PlanError: If it is no number of at least 1.
    """
    given = getattr(optimization, "max_gamma", None)
    if given is None:
        return math.inf
    number = isinstance(given, (int, float, np.integer, np.floating)) and given is not True
    if not number or not given >= 1:
        raise PlanError(f"max_gamma must be a number of at least 1, got {given!r}")
    try:
        return float(given)
    except OverflowError:
        raise PlanError("max_gamma is too large for a number; leave it out for no limit") from None


def _check_backjumps(optimization: Optimization) -> None:
    """Say that a number of backjumps has no effect, if one was asked for.

    Raises:
        PlanError: If it is no number of backjumps.
    """
    given = getattr(optimization, "max_backjumps", None)
    if given is None or given == _ADDON_BACKJUMPS:
        return
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 0:
        raise PlanError(f"max_backjumps must be None or an integer of at least 0, got {given!r}")
    warnings.warn(
        f"max_backjumps={given} has no effect: it bounds the best-first search of "
        "qiskit-addon-cutting, and this finder does not jump back; leave it out",
        UserWarning,
        stacklevel=3,
    )


def _warn_above(max_gamma: float, found: Found) -> None:
    """Say that a plan costs more than was wanted, and whether that can be helped."""
    bits, least, most = found.log2_overhead / 2, found.log2_lower_bound / 2, math.log2(max_gamma)
    if bits <= most + 1e-9:
        return
    none = "none with less was found"
    if least > most:
        none = "no plan has less" + ("" if found.proven_optimal else f" than {_number(least)}")
    warnings.warn(
        f"gamma is {_number(bits)}, above max_gamma={max_gamma:g}: {none}; allow more qubits per "
        "subcircuit, or more kinds of cuts",
        UserWarning,
        stacklevel=3,
    )


def _number(bits: float) -> str:
    """A number by its binary logarithm, which may be greater than any float's."""
    return f"{2**bits:.6g}" if bits < 100 else f"2^{bits:.1f}"


def _form(instruction: CircuitInstruction, gate: FlatGate) -> Any:
    """A gate as the addon is given it, which goes by names: only Qiskit's own keep theirs."""
    if instruction.is_standard_gate():
        return instruction.operation
    return UnitaryGate(gate.matrix, check_input=False)


def _prices(forms: list[Any]) -> NDArray[np.float64]:
    """Log2 of the addon's sampling overhead of each gate (m,); gates that are alike only once."""
    known: dict[Hashable, float] = {}
    prices = np.empty(len(forms))
    for k, form in enumerate(forms):
        if isinstance(form, UnitaryGate):
            key: Hashable = form.params[0].tobytes()
        else:
            key = (form.base_class, *(float(value) for value in form.params))
        if key not in known:
            known[key] = max(0.0, float(np.log2(cut_gate(form).basis.overhead)))
        prices[k] = known[key]
    return prices


def _wires_cut_before(pairs: NDArray[np.int64], labels: NDArray[np.int64]) -> list[list[int]]:
    """Per block, the qubits whose wire is cut right before it."""
    layout = layout_of(pairs, labels)
    wires: list[list[int]] = [[] for _ in pairs]
    for later in np.flatnonzero(layout.previous >= 0).tolist():
        wires[layout.first[later]].append(int(layout.qubit[later]))
    return wires


def _marked(
    circuit: QuantumCircuit,
    gates: list[FlatGate],
    instead: Mapping[int, Any],
    wires: list[list[int]],
    labels: NDArray[np.int64],
) -> QuantumCircuit:
    """The circuit with cut gates replaced and cut wires marked.

    Args:
        circuit: What was given.
        gates: Its two-qubit gates.
        instead: By index in the circuit's data, the gates to cut, as the addon is given them.
        wires: Per gate, the qubits whose wire is cut right before it.
        labels: (m, 2) fragments of the gates' ends.
    """
    block_of = {gate.source: block for block, gate in enumerate(gates)}
    fragment: dict[int, int] = {}
    for gate, ends in zip(gates, labels.tolist(), strict=True):
        for qubit, label in zip(gate.qubits, ends, strict=True):
            fragment.setdefault(qubit, label)
    marked = circuit.copy_empty_like()
    number = {bit: k for k, bit in enumerate(circuit.qubits)}
    for source, instruction in enumerate(circuit.data):
        qubits = [number[bit] for bit in instruction.qubits]
        if source in block_of:
            block = block_of[source]
            for qubit in wires[block]:
                marked.append(cut_wire(), [qubit])
            fragment.update(zip(qubits, labels[block].tolist(), strict=True))
        if source in instead:
            marked.append(CircuitInstruction(cut_gate(instead[source]), instruction.qubits))
        elif not instruction.is_standard_gate() and isinstance(instruction.operation, Barrier):
            _append_split(marked, instruction.operation, qubits, fragment)
        elif qubits or instruction.clbits:
            marked.append(renamed_for_addon(instruction))
        else:
            for part, _ in leaves(instruction, (), "a phase", set()):
                marked.global_phase += part.params[0]
    check_markers(marked)
    return marked


def _append_split(
    marked: QuantumCircuit, barrier: Barrier, qubits: list[int], fragment: Mapping[int, int]
) -> None:
    """A barrier for each fragment: the addon takes one that spans two for a gate."""
    groups: dict[int, list[int]] = {}
    for qubit in qubits:
        groups.setdefault(fragment.get(qubit, -1 - qubit), []).append(qubit)
    for group in groups.values():
        marked.append(Barrier(len(group), label=barrier.label), group)


def _overhead(marked: QuantumCircuit) -> float:
    """The factor on shots if every cut has a decomposition of its own."""
    overhead = 1.0
    for instruction in marked.data:
        if is_cut_gate(instruction):
            overhead *= float(instruction.operation.basis.overhead)  # quietly infinite if need be
        elif is_cut_wire(instruction):
            overhead *= WIRE_CUT_GAMMA**2
    return overhead


def _cuts_in(marked: QuantumCircuit) -> list[tuple[str, int]]:
    cuts = []
    for k, instruction in enumerate(marked.data):
        if is_cut_gate(instruction):
            cuts.append(("Gate Cut", k))
        elif is_cut_wire(instruction):
            cuts.append(("Wire Cut", k))
    return cuts
