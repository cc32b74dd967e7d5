"""What a device's time amounts to, from its own durations. Arithmetic on plain data only."""

from __future__ import annotations

from dataclasses import dataclass

from qdreamer_lab.errors import QDreamerError

__all__ = ["DeviceShape", "shot_seconds"]

_GATES_PER_BLOCK = 2
"""Two-qubit gates of the device for a block of the circuit, about: one to three."""

_ROUTING = 1.5
"""How much routing adds on a device where not all qubits are neighbours, about."""


@dataclass(frozen=True, slots=True)
class DeviceShape:
    """A device as far as its cost goes.

    Attributes:
        name: Of the device.
        one_qubit_s: A one-qubit gate.
        two_qubit_s: A two-qubit gate.
        readout_s: A measurement.
        repetition_s: Pause between two shots.
        all_to_all: Whether every pair of qubits can interact.
        job_overhead_s: What a job takes besides its shots.
        queue_s: Wait before the first job.

    Raises:
        QDreamerError: If a time is negative.
    """

    name: str
    one_qubit_s: float
    two_qubit_s: float
    readout_s: float
    repetition_s: float
    all_to_all: bool
    job_overhead_s: float = 2.0
    queue_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("one_qubit_s", "two_qubit_s", "readout_s", "repetition_s", "job_overhead_s"):
            if not getattr(self, name) >= 0:
                raise QDreamerError(f"device {self.name}: {name}={getattr(self, name)!r}")
        if not self.queue_s >= 0:
            raise QDreamerError(f"device {self.name}: queue_s={self.queue_s!r}")


def shot_seconds(device: DeviceShape, blocks_deep: int) -> float:
    """One shot of a fragment, so many blocks of two qubits deep."""
    gates = blocks_deep * _GATES_PER_BLOCK * (1.0 if device.all_to_all else _ROUTING)
    circuit = gates * (device.two_qubit_s + device.one_qubit_s) + device.one_qubit_s
    return circuit + device.readout_s + device.repetition_s
