"""Other people's state vector simulators, each with its own gates, and its settings.

Imports neither of our packages; it runs in an environment with the peers. A peer's circuit is ready
before its clock starts, fused where a setting says so: how long that took is kept apart. Its clock
runs from nothing to values, so that every simulator makes and clears its own state. Angles of
Qulacs' `Rot…` gates have the usual sign.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.engine.gates import matrix_of, su4_matrix

if TYPE_CHECKING:
    from benchmarks.engine.gates import Circuit, Gate

Run = Callable[[], tuple[list[float], float]]
"""Runs once; returns the values and the seconds by the simulator's clock."""


@dataclass(frozen=True)
class Prepared:
    """A circuit that a simulator is ready to run.

    Attributes:
        run: Runs it.
        prepare_seconds: What fusing took that the clock of `run` does not hold.
        predicted_bytes: Peak memory by our own account, where it is ours.
    """

    run: Run
    prepare_seconds: float = 0.0
    predicted_bytes: int | None = None


def timed(call: Callable[[], list[float]]) -> Run:
    """A call with a clock around it."""

    def run() -> tuple[list[float], float]:
        start = time.perf_counter()
        values = call()
        return values, time.perf_counter() - start

    return run


def qulacs(circuit: Circuit, setting: str) -> Prepared:
    """Qulacs, fused to blocks; `cx` in a setting has it run RZZ as CX, RZ, CX."""
    from qulacs import Observable, QuantumCircuit, QuantumState
    from qulacs.circuit import QuantumCircuitOptimizer

    style, _, fusion = setting.partition(" ")
    theirs = QuantumCircuit(circuit.qubits)
    for gate in circuit.gates:
        _qulacs_gate(theirs, gate, cx=style == "cx")
    start = time.perf_counter()
    if fusion == "light":
        QuantumCircuitOptimizer().optimize_light(theirs)
    elif int(fusion):
        QuantumCircuitOptimizer().optimize(theirs, int(fusion))
    prepare = time.perf_counter() - start
    observables = []
    for letters, qubits in circuit.observables:
        observable = Observable(circuit.qubits)
        words = [f"{letter} {on}" for letter, on in zip(letters, qubits, strict=True)]
        observable.add_operator(1.0, " ".join(words))
        observables.append(observable)

    def run() -> list[float]:
        state = QuantumState(circuit.qubits)
        theirs.update_quantum_state(state)
        return [each.get_expectation_value(state).real for each in observables]

    return Prepared(timed(run), prepare)


def _qulacs_gate(theirs: Any, gate: Gate, *, cx: bool) -> None:
    from qulacs.gate import DiagonalMatrix

    name, qubits = gate.name, list(gate.qubits)
    if name == "su4":
        theirs.add_dense_matrix_gate(qubits, su4_matrix(gate))
    elif name == "h":
        theirs.add_H_gate(*qubits)
    elif name == "cx":
        theirs.add_CNOT_gate(*qubits)
    elif name != "rzz":
        getattr(theirs, f"add_Rot{name[1].upper()}_gate")(*qubits, gate.numbers[0])
    elif cx:
        theirs.add_CNOT_gate(*qubits)
        theirs.add_RotZ_gate(qubits[1], gate.numbers[0])
        theirs.add_CNOT_gate(*qubits)
    else:
        theirs.add_gate(DiagonalMatrix(qubits, np.diag(matrix_of(gate))))


LIGHTNING_NAMES = {
    "h": "Hadamard",
    "rx": "RX",
    "ry": "RY",
    "rz": "RZ",
    "cx": "CNOT",
    "rzz": "IsingZZ",
}


def lightning(circuit: Circuit, setting: str) -> Prepared:
    """PennyLane's Lightning by its bindings, without PennyLane's Python around every gate."""
    if setting == "kokkos":
        from pennylane_lightning import lightning_kokkos_ops as ops
    else:
        from pennylane_lightning import lightning_qubit_ops as ops
    state_of, measured = ops.StateVectorC128, ops.MeasurementsC128
    calls = []
    for gate in circuit.gates:
        if gate.name == "su4":
            # The first of their wires is the most significant of a matrix.
            arguments = (su4_matrix(gate), list(reversed(gate.qubits)), False)
            calls.append((state_of.applyMatrix, arguments))
        else:
            method = getattr(state_of, LIGHTNING_NAMES[gate.name])
            calls.append((method, (list(gate.qubits), False, list(gate.numbers))))
    observables = []
    for letters, qubits in circuit.observables:
        pairs = zip(letters, qubits, strict=True)
        named = [ops.observables.NamedObsC128(f"Pauli{letter}", [on]) for letter, on in pairs]
        observables.append(ops.observables.TensorProdObsC128(named))

    def run() -> list[float]:
        state = state_of(circuit.qubits)
        for method, arguments in calls:
            method(state, *arguments)
        measurement = measured(state)
        return [measurement.expval(each) for each in observables]

    return Prepared(timed(run))


def aer(circuit: Circuit, setting: str) -> Prepared:
    """Qiskit Aer; the clock is its simulator's own, which leaves out Python and translation."""
    from qiskit.quantum_info import SparsePauliOp
    from qiskit_aer import AerSimulator

    theirs = qiskit_circuit(circuit)
    for k, (letters, qubits) in enumerate(circuit.observables):
        pauli = SparsePauliOp(letters[::-1])
        theirs.save_expectation_value(pauli, list(qubits), label=str(k))
    backend = AerSimulator(
        method="statevector",
        max_parallel_threads=len(os.sched_getaffinity(0)),
        fusion_enable=True,
        fusion_max_qubit=int(setting),
    )

    def run() -> tuple[list[float], float]:
        result = backend.run(theirs, shots=1).result()
        if not result.success:
            raise RuntimeError(result.status)
        data = result.data(0)
        values = [float(data[str(k)]) for k in range(len(circuit.observables))]
        return values, float(result.results[0].time_taken)

    return Prepared(run)


def qiskit_circuit(circuit: Circuit) -> Any:
    """As Qiskit's circuit, with its own gate for each."""
    from qiskit import QuantumCircuit

    theirs = QuantumCircuit(circuit.qubits)
    for gate in circuit.gates:
        if gate.name == "su4":
            theirs.unitary(su4_matrix(gate), list(gate.qubits))
        else:
            getattr(theirs, gate.name)(*gate.numbers, *gate.qubits)
    return theirs


PEERS: dict[str, Callable[[Circuit, str], Prepared]] = {
    "aer": aer,
    "qulacs": qulacs,
    "lightning": lightning,
}

QULACS_FUSION = ("0", "light", "1", "2", "3", "4")
SETTINGS = {
    "aer": ("5", "3"),
    "qulacs": tuple(f"{way} {size}" for way in ("zz", "cx") for size in QULACS_FUSION),
    "lightning": ("qubit", "kokkos"),
}
"""What a peer can be told: Aer how many qubits to fuse at most, five by default; Qulacs how to do
RZZ and the size of fused blocks; Lightning which of its two simulators to use."""

PACKAGES = {"aer": "qiskit-aer", "qulacs": "qulacs", "lightning": "pennylane-lightning"}
KOKKOS = "pennylane-lightning-kokkos"


def version_of(tool: str) -> str:
    """The release of a peer, or "" if it is not there."""
    return _release(PACKAGES[tool])


def settings_of(tool: str) -> list[str]:
    """The settings with which a peer can run here."""
    without = "" if _release(KOKKOS) else "kokkos"
    return [setting for setting in SETTINGS[tool] if setting != without]


def _release(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
