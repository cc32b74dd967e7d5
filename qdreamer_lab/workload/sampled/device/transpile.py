"""A fragment's circuit written for a device, once for all its variants and parameter values.

The marks of the cuts are taken out again and remembered by their places. This module must not know
what is put there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qiskit.transpiler import generate_preset_pass_manager

from qdreamer_lab.errors import CircuitError, DeviceError
from qdreamer_lab.workload.sampled.device.check import check_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.sampled.device.marked_circuit import FragmentCircuit, Mark

__all__ = ["Forms", "Place", "Template", "Transpiling", "transpiled"]

_EULER_BASES = {
    "ZSXX": ("rz", "sx", "x"),
    "ZSX": ("rz", "sx"),
    "PSX": ("p", "sx"),
    "U": ("u",),
    "U3": ("u3",),
    "RR": ("r",),
    "ZYZ": ("rz", "ry"),
    "ZXZ": ("rz", "rx"),
    "XYX": ("rx", "ry"),
    "U1X": ("u1", "rx"),
}
"""Gates that are enough for any rotation, by Qiskit's name; where RZ is exact it comes first."""

_KEPT = 64
"""Templates kept per device: fragments of a few plans."""


@dataclass(frozen=True, slots=True)
class Transpiling:
    """How to transpile.

    Attributes:
        level: Qiskit's optimization level, 0 to 3; fragments are small and transpiled once.
        seed: Of layout and routing.
    """

    level: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mark ended up.

    Attributes:
        mark: The mark.
        index: Number of instructions of the template's circuit that come before it.
        qubit: Physical qubit.
    """

    mark: Mark
    index: int
    qubit: int


@dataclass(frozen=True, eq=False, slots=True)
class Template:
    """A fragment's circuit in a device's gates, on its physical qubits; plain data.

    Attributes:
        fragment: Id in the plan.
        circuit: Without marks and measurements.
        steps: For every step of the fragment's program, its mark, or None.
        places: Of all marks, by index.
        outputs: (width,) the physical qubit that each local qubit ends on, and those that hold
            outcomes after them.
        euler: In which gates to write rotations, by Qiskit's name.
        device: Name of the device.
        held: Gate cuts whose outcomes wait on qubits of their own until the end.
    """

    fragment: int
    circuit: QuantumCircuit
    steps: tuple[Mark | None, ...]
    places: tuple[Place, ...]
    outputs: tuple[int, ...]
    euler: str
    device: str
    held: tuple[int, ...] = ()

    def bound(self, values: Mapping[str, float]) -> Template:
        """The same for given values of the parameters; nothing is transpiled.

        Args:
            values: By name; those of other fragments may be among them.

        Raises:
            CircuitError: If one is missing.
        """
        free = self.circuit.parameters
        missing = [parameter.name for parameter in free if parameter.name not in values]
        if missing:
            raise CircuitError(f"no value is given for {', '.join(missing)}")
        if not free:
            return self
        chosen = {parameter: values[parameter.name] for parameter in free}
        return replace(self, circuit=self.circuit.assign_parameters(chosen))


@dataclass(frozen=True, eq=False, slots=True)
class Forms:
    """A fragment written for a device, in as many forms as its variants need there; plain data.

    Attributes:
        templates: By the gate cuts whose outcomes wait for the end. Where the device measures in
            the middle of circuits there is one, of no such cuts.
        midway: Whether it does.
        mitigation: What is done about the device's errors, as `DeviceOptions` has it.
        noise_factor: How many times as noisy two-qubit gates are made, as it has that.
    """

    templates: Mapping[tuple[int, ...], Template]
    midway: bool = True
    mitigation: tuple[str, ...] = ()
    noise_factor: int = 1

    @property
    def gates(self) -> frozenset[str]:
        """Names of the gates in all of them."""
        names = (each.circuit.count_ops() for each in self.templates.values())
        return frozenset().union(*names)

    @property
    def most_held(self) -> int:
        """Further qubits, at most, that keep outcomes until the end."""
        return max(map(len, self.templates))

    def bound(self, values: Mapping[str, float]) -> Forms:
        """The same for given values of the parameters.

        Raises:
            CircuitError: If one is missing.
        """
        bound = {held: each.bound(values) for held, each in self.templates.items()}
        return replace(self, templates=bound)


_made: WeakKeyDictionary[Any, dict[tuple[str, Transpiling], Template]] = WeakKeyDictionary()


def transpiled(
    source: FragmentCircuit, backend: BackendV2, options: Transpiling | None = None
) -> Template:
    """Write a fragment for a device, or find what was written before in this process.

    Raises:
        DeviceError: If it is too wide, or the device's gates do not suffice.
    """
    options = options or Transpiling()
    known = _made.setdefault(backend, {})
    key = (source.key, options)
    if key not in known:
        while len(known) >= _KEPT:
            del known[next(iter(known))]
        known[key] = _transpile(source, backend, options)
    return replace(known[key], fragment=source.fragment, steps=source.steps)


def _transpile(source: FragmentCircuit, backend: BackendV2, options: Transpiling) -> Template:
    width = source.circuit.num_qubits
    check_width(source.fragment, width, backend)
    try:
        manager = generate_preset_pass_manager(
            options.level, backend=backend, seed_transpiler=options.seed
        )
        written = manager.run(source.circuit)
    except Exception as error:  # backends bring passes of their own, which may raise anything
        reason = getattr(error, "message", str(error))
        raise DeviceError(
            backend.name, f"fragment {source.fragment} cannot be written in its gates: {reason}"
        ) from error
    layout = written.layout
    outputs = tuple(range(width)) if layout is None else tuple(layout.final_index_layout())
    circuit, places = _without_marks(written, source)
    touched = {*outputs, *(place.qubit for place in places)}
    euler = _euler_basis(backend, touched)
    return Template(
        fragment=source.fragment,
        circuit=circuit,
        steps=source.steps,
        places=places,
        outputs=outputs,
        euler=euler,
        device=backend.name,
        held=source.held,
    )


def _without_marks(
    written: QuantumCircuit, source: FragmentCircuit
) -> tuple[QuantumCircuit, tuple[Place, ...]]:
    marks = {mark.label: mark for mark in source.steps if mark is not None}
    ends = (replace(mark, then=True) for mark in list(marks.values()) if not mark.start)
    marks |= {mark.label: mark for mark in ends if mark.cut in source.held}
    kept: list[Any] = []
    places: list[Place] = []
    for instruction in written.data:
        if instruction.name == "barrier" and instruction.operation.label in marks:
            qubit = written.find_bit(instruction.qubits[0]).index
            places.append(Place(marks[instruction.operation.label], len(kept), qubit))
        else:
            kept.append(instruction)
    assert len(places) == len(marks), "a mark was lost"
    circuit = written.copy_empty_like()
    circuit.data = kept
    return circuit, tuple(places)


def _euler_basis(backend: BackendV2, qubits: set[int]) -> str:
    target = backend.target
    for name, gates in _EULER_BASES.items():
        if all(target.instruction_supported(gate, (qubit,)) for gate in gates for qubit in qubits):
            return name
    names = ", ".join(sorted(target.operation_names))
    raise DeviceError(backend.name, f"its gates ({names}) are in no form known here for rotations")
