"""Expectation values and measurement outcomes of whole circuits: what runs on a worker.

The circuit is a fragment with nothing cut, so it goes the same way as all others. It must not
decide whether it should.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.draws import drawn
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import available_bytes, readable
from qdreamer_lab.workload.fragment.footprint import batch_bytes
from qdreamer_lab.workload.fragment.gpu import gpu_bytes, gpu_free_bytes, gpu_outcomes
from qdreamer_lab.workload.fragment.simulate import FragmentCall, final_states, run_fragments
from qdreamer_lab.workload.uncut.state.lowered import state_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["draws", "pauli_values"]

_LETTERS = {(True, False): "X", (True, True): "Y", (False, True): "Z"}
_DTYPE = "complex128"
_TOGETHER = 64
"""Sets of values that are handed on at once: on a GPU they share launches."""


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
    found = np.ones((len(values), len(x)))
    others = np.flatnonzero((x | z).any(axis=1)).tolist()
    if not others:
        return found
    strings = [_string(x[k], z[k]) for k in others]
    calls = []
    for bound in _bound(circuit, values):
        lowered = state_program(bound, strings)
        operators = tuple(tuple((lowered.place[q], letter) for q, letter in s) for s in strings)
        _check_memory(lowered.program, operators, device)
        calls.append(FragmentCall(lowered.program, operators, {}, {}))
    for first in range(0, len(calls), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        tensors = run_fragments(tuple(calls[some]), None, _DTYPE, device).tensors
        found[some, others] = [tensor.real.ravel() for tensor in tensors]
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
    measured = (tuple((qubit, "0") for qubit in sorted(qubits)),)
    for number, bound in enumerate(_bound(circuit, values)):
        lowered = state_program(bound, measured)
        _check_memory(lowered.program, (), device)
        outcomes = _outcomes(lowered.program, random.random(shots), device)
        for bit, qubit in enumerate(qubits):
            found[number] |= (outcomes >> lowered.place[qubit] & 1) << bit
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


def _outcomes(
    program: FragmentProgram, uniforms: NDArray[np.float64], device: str
) -> NDArray[np.int64]:
    """(shots,) outcomes of all qubits."""
    if device == "GPU":
        return gpu_outcomes(program, uniforms, _DTYPE)
    found: NDArray[np.int64] = drawn(final_states(program, _DTYPE)[0], uniforms)
    return found


def _check_memory(program: FragmentProgram, operators: tuple[Factors, ...], device: str) -> None:
    """Refuse a state that does not fit, before anything is allocated."""
    on_gpu = device == "GPU"
    size = gpu_bytes if on_gpu else batch_bytes
    needed = size(program, operators, np.dtype(_DTYPE).itemsize, {}, {})
    limit = gpu_free_bytes() if on_gpu else available_bytes()
    if needed > limit:
        amplitude = max(1, needed >> program.width)
        fits = min(program.width - 1, (limit // amplitude).bit_length() - 1)
        raise MemoryLimitError(
            f"the state vector of {program.width} qubits needs {readable(needed)}, but "
            f"{readable(limit)} may be used{' on the GPU' if on_gpu else ''}: run it where there "
            f"is more, or cut it, as qdreamer_lab.CutEstimator(max_qubits={max(1, fits)}) does"
        )
