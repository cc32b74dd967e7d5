"""Expectation values and measurement outcomes of whole circuits: what runs on a worker.

The circuit is a fragment with nothing cut, so it goes the same way as all others. It must not
decide whether it should.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.fragment.footprint import batch_bytes
from qdreamer_lab.workload.fragment.simulate import Device, open_device
from qdreamer_lab.workload.uncut.state.lowered import StateProgram, state_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["draws", "pauli_values"]

_LETTERS = {(True, False): "X", (True, True): "Y", (False, True): "Z"}
_DTYPE = "complex128"


def pauli_values(
    circuit: QuantumCircuit,
    values: NDArray[np.float64],
    x: NDArray[np.bool_],
    z: NDArray[np.bool_],
    device: str = "CPU",
) -> NDArray[np.float64]:
    """Expectation values of Pauli strings.

    Args:
        circuit: Unitary.
        values: (sets, parameters) in the order of `circuit.parameters`.
        x: (strings, n) where a string has an X or a Y.
        z: (strings, n) where it has a Z or a Y.
        device: "CPU" or "GPU".

    Returns:
        (sets, strings); the identity is 1 exactly.

    Raises:
        CircuitError: The circuit holds something that is no unitary.
        GpuError: There is no GPU that can be used.
        MemoryLimitError: A state does not fit.
    """
    acted = np.flatnonzero((x | z).any(axis=0)).tolist()
    seen = {qubit: not x[:, qubit].any() for qubit in acted}
    found = np.ones((len(values), len(x)))
    others = np.flatnonzero((x | z).any(axis=1)).tolist()
    if not others:
        return found
    place = open_device(device)
    strings = [_string(x[k], z[k]) for k in others]
    for number, bound in enumerate(_bound(circuit, values)):
        lowered = state_program(bound, seen)
        operators = tuple(tuple((lowered.place[q], letter) for q, letter in s) for s in strings)
        _check_memory(lowered, operators, place)
        states = place.final_states(lowered.program, _DTYPE, {})
        found[number, others] = place.gram_matrices(states, states, operators)[:, 0, 0].real
        del states  # before there is another
    return found


def draws(
    circuit: QuantumCircuit,
    values: NDArray[np.float64],
    qubits: Sequence[int],
    shots: int,
    seed: int | None,
    device: str = "CPU",
) -> NDArray[np.int64]:
    """Measure qubits, again and again.

    Args:
        circuit: Unitary.
        values: (sets, parameters) in the order of `circuit.parameters`.
        qubits: Different ones, at most 63.
        shots: For each set of values.
        seed: Of the random numbers.
        device: "CPU" or "GPU"; both draw the same, to rounding.

    Returns:
        (sets, shots); bit k is what the k-th of `qubits` was found in.

    Raises:
        CircuitError: The circuit holds something that is no unitary.
        GpuError: There is no GPU that can be used.
        MemoryLimitError: A state does not fit.
    """
    random = np.random.default_rng(seed)
    found = np.zeros((len(values), shots), dtype=np.int64)
    place = open_device(device)
    for number, bound in enumerate(_bound(circuit, values)):
        lowered = state_program(bound, dict.fromkeys(sorted(qubits), True))
        _check_memory(lowered, (), place)
        (state,) = place.final_states(lowered.program, _DTYPE, {})
        outcomes = place.draws(state, random.random(shots))
        for bit, qubit in enumerate(qubits):
            found[number] |= (outcomes >> lowered.place[qubit] & 1) << bit
        del state  # before there is another
    return found


def _bound(circuit: QuantumCircuit, values: NDArray[np.float64]) -> Iterator[QuantumCircuit]:
    """The circuit with each set of values."""
    for row in values:
        yield circuit.assign_parameters(row) if row.size else circuit


def _string(x: NDArray[np.bool_], z: NDArray[np.bool_]) -> Factors:
    """A Pauli string on the circuit's qubits."""
    return tuple(
        (qubit, _LETTERS[bool(x[qubit]), bool(z[qubit])])
        for qubit in np.flatnonzero(x | z).tolist()
    )


def _check_memory(lowered: StateProgram, operators: tuple[Factors, ...], device: Device) -> None:
    """Refuse a state that does not fit, before anything is allocated."""
    program = lowered.program
    needed = batch_bytes(program, operators, np.dtype(_DTYPE).itemsize, {}, {})
    limit = device.available_bytes()
    if needed > limit:
        fits = max(1, (limit // (needed >> program.width or 1)).bit_length() - 1)
        raise MemoryLimitError(
            f"the state vector of {program.width} qubits needs {readable(needed)}, but "
            f"{readable(limit)} may be used: cut the circuit to {min(fits, program.width - 1)} "
            f"qubits, as qdreamer_lab.CutEstimator(max_qubits={min(fits, program.width - 1)}) does,"
            " or run it where there is more memory"
        )
