"""Gradients of expectation values by shifted parameters, all of a gradient's points in one batch.

A parameter may occur several times, and in expressions. So every angle of the circuit gets a
parameter of its own; the shift rule holds for each of these, and the chain rule puts them together.

As a function of one angle, an expectation value is a sum of waves whose frequencies are the
differences of the generator's eigenvalues. With frequencies w, 2w, …, Rw its derivative is a sum of
2R values of the function itself:

    f'(0) = w Σ_{m=1}^{2R} (-1)^{m-1} / (4R sin²(x_m / 2)) f(x_m / w),    x_m = (2m - 1) π / 2R

    Mitarai et al., Phys. Rev. A 98, 032309 (2018); Wierichs et al., Quantum 6, 677 (2022), eq. 26
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression, ParameterVector
from qiskit.circuit.library import (
    CPhaseGate,
    CRXGate,
    CRYGate,
    CRZGate,
    PhaseGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZXGate,
    RZZGate,
    UGate,
)

from qdreamer_lab.errors import CircuitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from qiskit.circuit import CircuitInstruction, Qubit

__all__ = ["ShiftedCircuit", "shifted_circuit"]

_ONE_WAVE = (1.0, 1)
"""Frequency and number of waves where the generator has two eigenvalues, one apart."""

_WAVES = {
    **dict.fromkeys((RXGate, RYGate, RZGate, PhaseGate, CPhaseGate), _ONE_WAVE),
    **dict.fromkeys((RXXGate, RYYGate, RZZGate, RZXGate), _ONE_WAVE),
    **dict.fromkeys((CRXGate, CRYGate, CRZGate), (0.5, 2)),
}

_DEEPEST = 20


class _Angle(NamedTuple):
    """An angle of a gate: what it is, and the rule for its gate."""

    expression: ParameterExpression
    shifts: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ShiftedCircuit:
    """A circuit with a parameter for each angle, and how to get values and gradients from it.

    Attributes:
        circuit: Its parameters are the angles, in order.
        parameters: Of the circuit that it was made from, in Qiskit's order.
        angles: What each angle is in terms of these.
    """

    circuit: QuantumCircuit
    parameters: tuple[Parameter, ...]
    angles: tuple[_Angle, ...]

    def points(self, values: NDArray[np.float64], *, gradient: bool) -> NDArray[np.float64]:
        """(points, angles) where the circuit is to be run for one set of parameter values.

        Args:
            values: (parameters,).
            gradient: Whether the gradient is wanted; else there is one point.
        """
        here = self._angles_at(values)
        if not gradient:
            return here[None]
        counts = [len(angle.shifts) for angle in self.angles]
        found = np.repeat(here[None], 1 + sum(counts), axis=0)
        row = 1
        for column, angle in enumerate(self.angles):
            found[row : row + counts[column], column] += angle.shifts
            row += counts[column]
        return found

    def gradient(
        self, values: NDArray[np.float64], found: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(parameters,) the gradient.

        Args:
            values: (parameters,) where.
            found: (points,) expectation values at `points(values, gradient=True)`.
        """
        by_angle, row = np.empty(len(self.angles)), 1
        for k, angle in enumerate(self.angles):
            by_angle[k] = angle.weights @ found[row : row + len(angle.weights)]
            row += len(angle.weights)
        return by_angle @ self._slopes_at(values)

    @cached_property
    def _linear(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Angles at zero and their slopes, if these are the same everywhere."""
        slopes = np.zeros((len(self.angles), len(self.parameters)))
        column = {parameter: k for k, parameter in enumerate(self.parameters)}
        for row, angle in enumerate(self.angles):
            for parameter in angle.expression.parameters:
                slope = angle.expression.gradient(parameter)
                if isinstance(slope, ParameterExpression) and slope.parameters:
                    return None
                slopes[row, column[parameter]] = float(slope)
        zero = dict.fromkeys(self.parameters, 0.0)
        return np.array([_number(angle.expression, zero) for angle in self.angles]), slopes

    def _angles_at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._linear is not None:
            return self._linear[0] + self._linear[1] @ values
        given = dict(zip(self.parameters, values.tolist(), strict=True))
        return np.array([_number(angle.expression, given) for angle in self.angles])

    def _slopes_at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(angles, parameters) derivatives of the angles."""
        if self._linear is not None:
            return self._linear[1]
        given = dict(zip(self.parameters, values.tolist(), strict=True))
        slopes = np.zeros((len(self.angles), len(self.parameters)))
        column = {parameter: k for k, parameter in enumerate(self.parameters)}
        for row, angle in enumerate(self.angles):
            for parameter in angle.expression.parameters:
                slope = angle.expression.gradient(parameter)
                slopes[row, column[parameter]] = _number(slope, given)
        return slopes


def shifted_circuit(circuit: QuantumCircuit) -> ShiftedCircuit:
    """Give each angle a parameter of its own; gates without a rule become what defines them.

    Args:
        circuit: With free parameters or without. Its global phase is dropped.

    Raises:
        CircuitError: A gate with a free parameter has no rule and no definition (named).
    """
    parts = [
        part
        for number, instruction in enumerate(circuit.data)
        for part in _with_rules(
            instruction.operation, tuple(instruction.qubits), f"instruction {number}", 0
        )
    ]
    free = sum(_is_free(operation) for operation, _ in parts)
    fresh = ParameterVector("angle", free)
    made = QuantumCircuit(*circuit.qregs, *circuit.cregs)
    angles: list[_Angle] = []
    for operation, qubits in parts:
        if _is_free(operation):
            shifts, weights = _rule(*_WAVES[operation.base_class])
            angles.append(_Angle(operation.params[0], shifts, weights))
            operation = operation.base_class(fresh[len(angles) - 1])
        made.append(operation, qubits)
    return ShiftedCircuit(made, tuple(circuit.parameters), tuple(angles))


def _rule(frequency: float, waves: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shifts, and the weights of the values there."""
    m = np.arange(1, 2 * waves + 1)
    x = (2 * m - 1) * np.pi / (2 * waves)
    weights = frequency * (-1.0) ** (m - 1) / (4 * waves * np.sin(x / 2) ** 2)
    return x / frequency, weights


def _with_rules(
    operation: Any, qubits: tuple[Qubit, ...], where: str, depth: int
) -> Iterator[tuple[Any, tuple[Qubit, ...]]]:
    """An instruction as such that have a rule, or no free parameter."""
    if not _is_free(operation) or (operation.base_class in _WAVES and not _is_open(operation)):
        yield operation, qubits
        return
    inner: list[CircuitInstruction]
    if operation.base_class is UGate:
        inner, known = _turns(operation)
    elif operation.definition is None or depth > _DEEPEST:
        raise CircuitError(
            f"{where}: there is no shift rule for the free parameter of {operation.name!r}, and "
            "nothing that defines it; write it with rotations"
        )
    else:
        inner, known = list(operation.definition.data), operation.definition.qubits
    place = dict(zip(known, qubits, strict=True))
    for part in inner:
        on = tuple(place[qubit] for qubit in part.qubits)
        yield from _with_rules(part.operation, on, where, depth + 1)


def _turns(operation: Any) -> tuple[list[CircuitInstruction], list[Qubit]]:
    """A general turn of one qubit as three about axes, up to a phase."""
    theta, phi, lam = operation.params
    circuit = QuantumCircuit(1)
    circuit.rz(lam, 0)
    circuit.ry(theta, 0)
    circuit.rz(phi, 0)
    return list(circuit.data), list(circuit.qubits)


def _is_free(operation: Any) -> bool:
    return any(
        isinstance(value, ParameterExpression) and bool(value.parameters)
        for value in operation.params
    )


def _is_open(operation: Any) -> bool:
    """Whether it is controlled by a 0, which its class does not say."""
    state = getattr(operation, "ctrl_state", None)
    return state is not None and state != (1 << operation.num_ctrl_qubits) - 1


def _number(value: Any, given: dict[Parameter, float]) -> float:
    if not isinstance(value, ParameterExpression):
        return float(value)
    mine = {parameter: given[parameter] for parameter in value.parameters}
    return float(value.bind(mine).numeric()) if mine else float(value)
