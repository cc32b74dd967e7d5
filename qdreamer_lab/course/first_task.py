"""Exercises of the first notebook: a state, and the counts of one."""

from __future__ import annotations

import math

import numpy as np
from qiskit.primitives import PrimitiveResult

from qdreamer_lab.course.circuits import bound_circuit, ket, state_of
from qdreamer_lab.course.verdict import NotRight, exercise

__all__ = ["check_counts", "check_minus"]

_MINUS_QUBITS = 4
_GHZ_QUBITS, _SHOTS = 6, 3000
_SIGMAS = 5.0
"""A right answer is refused once in 1.7 million times."""


@exercise
def check_minus(circuit: object) -> str:
    """Check a circuit for (|0000⟩ - |1111⟩)/√2, up to a global phase.

    Args:
        circuit: A circuit on four qubits, with measurements at its end or without.
    """
    state = state_of(bound_circuit(circuit, _MINUS_QUBITS))
    last = len(state) - 1
    inner = np.abs(state[1:last]) ** 2
    if inner.max() > 1e-9:
        worst = 1 + int(inner.argmax())
        raise NotRight(
            f"{ket(worst, _MINUS_QUBITS)} occurs with probability {inner.max():.3f}. Only all "
            "zeros and all ones may occur: is every qubit entangled with the first one?"
        )
    zeros = abs(state[0]) ** 2
    if not math.isclose(zeros, 0.5, abs_tol=1e-6):
        raise NotRight(
            f"All zeros occur with probability {zeros:.3f}; zeros and ones have to be equally "
            "likely."
        )
    angle = float(np.degrees(np.angle(state[last] / state[0])))
    if abs(angle) < 1e-3:
        raise NotRight(
            "The sign between the two is a plus. Counts cannot tell the difference, but the state "
            "is another one: something has to give |1111⟩ a minus."
        )
    if not math.isclose(abs(angle), 180, abs_tol=1e-3):
        raise NotRight(
            f"The phase between the two is {angle:.1f}°, and a minus is 180°. A Z turns by 180°, "
            "an S by 90° only."
        )
    return "the two are equally likely, and a minus stands between them."


@exercise
def check_counts(result: object) -> str:
    """Check 3,000 shots of a GHZ state of six qubits.

    Args:
        result: What `%%qtask -o` kept: a `PrimitiveResult` of one circuit.
    """
    if not isinstance(result, PrimitiveResult):
        raise NotRight(
            f"A PrimitiveResult is wanted, which is what -o keeps of a %%qtask cell; this is "
            f"{type(result).__name__}."
        )
    if len(result) != 1:
        raise NotRight(f"One circuit is wanted; this result is of {len(result)}.")
    registers = [each for each in result[0].data.values() if hasattr(each, "get_counts")]
    if len(registers) != 1:
        raise NotRight(
            "The result has no counts of one register: end the circuit with measure_all(), and "
            "give no observables."
        )
    counts, shots, bits = registers[0].get_counts(), registers[0].num_shots, registers[0].num_bits
    if bits != _GHZ_QUBITS:
        raise NotRight(f"{bits} bits were measured, {_GHZ_QUBITS} are wanted.")
    if shots != _SHOTS:
        raise NotRight(f"There are {shots:,} shots, {_SHOTS:,} are wanted: --shots says how many.")
    ends = {"0" * bits, "1" * bits}
    stray = [text for text in counts if text not in ends]
    if stray:
        raise NotRight(
            f"The outcome {stray[0]} occurred. In a GHZ state all qubits agree: is there a chain "
            "of CX that reaches every one?"
        )
    zeros = counts.get("0" * bits, 0)
    sigma = math.sqrt(shots) / 2
    if abs(zeros - shots / 2) > _SIGMAS * sigma:
        raise NotRight(
            f"All zeros came {zeros:,} times of {shots:,}. Half of them is expected, give or take "
            f"{sigma:.0f}; so far off is no chance. Does the circuit begin with a Hadamard gate?"
        )
    return (
        f"all zeros came {zeros:,} times, {abs(zeros - shots / 2) / sigma:.1f} standard "
        "deviations from half."
    )
