"""How long a shot takes on a device, and who waits there, by what the device says of itself.

Nothing is sent. What its target does not tell is unknown, and never guessed.
"""

import contextlib

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

__all__ = ["TYPICAL_SHOT_S", "WAITING_JOB_S", "pending_jobs", "seconds_per_shot"]

WAITING_JOB_S = 10.0
"""How long a job that waits at a device keeps it, about, where its owner states no wait."""

TYPICAL_SHOT_S = 3e-4
"""A shot where a target lacks a duration: mostly the pause after it."""

_REPETITION_S = 2.5e-4
"""Pause between two shots, where a device does not say: that of IBM's."""


def seconds_per_shot(circuit: QuantumCircuit, backend: BackendV2) -> float | None:
    """Gates, readout and the pause before the next shot; None if the target lacks a duration.

    Args:
        circuit: In the device's terms.
        backend: The device.
    """
    length = _length_s(circuit, backend.target)
    pause = getattr(backend, "default_rep_delay", None)
    return None if length is None else length + (_REPETITION_S if pause is None else float(pause))


def pending_jobs(backend: BackendV2) -> int | None:
    """Jobs that wait at a device, others' included; None if it does not say."""
    status = getattr(backend, "status", None)
    if not callable(status):
        return None
    with contextlib.suppress(Exception):  # it is asked over the network
        told = getattr(status(), "pending_jobs", None)
        return told if isinstance(told, int) else None
    return None


def _length_s(circuit: QuantumCircuit, target: Target) -> float | None:
    """How long a shot takes, each instruction as early as it can; None if that is not known."""
    ready = dict.fromkeys((*circuit.qubits, *circuit.clbits), 0.0)
    for step in circuit.data:
        took = 0.0
        if step.name != "barrier":
            known = target[step.name] if step.name in target.operation_names else {}
            at = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
            told = getattr(known.get(at), "duration", None) if known else None
            if told is None:
                return None
            took = float(told)
        bits = (*step.qubits, *step.clbits)
        end = max((ready[bit] for bit in bits), default=0.0) + took
        ready.update(dict.fromkeys(bits, end))
    return max(ready.values(), default=0.0)
