"""A real device as it was one day: its couplings, gates and noise, simulated by Aer."""

from __future__ import annotations

import copy
import os
from functools import cached_property
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit_aer import AerSimulator

__all__ = ["NoisySnapshot", "qubits_in_use", "threads"]


def threads() -> int:
    """Threads that Aer may start here: the cores of the worker, or 0 for all outside of one."""
    return int(os.environ.get("PILOT_CORES_PER_WORKER", "0"))


def qubits_in_use(circuit: QuantumCircuit) -> frozenset[int]:
    """The qubits that anything but a barrier or a delay acts on."""
    used = {
        qubit
        for step in circuit.data
        if step.operation.name not in ("barrier", "delay")
        for qubit in step.qubits
    }
    return frozenset(circuit.find_bit(qubit).index for qubit in used)


class NoisySnapshot(BackendV2):  # type: ignore[misc]
    """A `BackendV2` with the target of a device's snapshot and Aer behind it.

    Only the qubits in use are simulated, and only their noise is handed to Aer: with the noise of
    all 127 qubits of a device, Aer takes over a second before it starts, whatever the circuit.

    Args:
        device: A backend of `qiskit_ibm_runtime.fake_provider`.
    """

    def __init__(self, device: BackendV2) -> None:
        super().__init__(name=device.name, description=f"snapshot of {device.name}, simulated")
        self._device = device

    @property
    def target(self) -> Any:
        """The device's target."""
        return self._device.target

    @property
    def max_circuits(self) -> None:
        """Circuits in one job: any number."""
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: QuantumCircuit | list[QuantumCircuit], **options: Any) -> Any:
        """Run circuits that are written in the device's gates.

        Args:
            run_input: One circuit or several.
            **options: As `AerSimulator.run` takes them: shots, memory, seed_simulator, ...

        Returns:
            A job of Aer's.
        """
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        used = frozenset[int]().union(*map(qubits_in_use, circuits))
        return self._simulator.run(circuits, noise_model=self._noise(used), **options)

    @cached_property
    def _simulator(self) -> AerSimulator:
        return AerSimulator.from_backend(self._device, max_parallel_threads=threads())

    def _noise(self, used: frozenset[int]) -> Any:
        """The device's noise model without the errors that no circuit can meet.

        Aer has no call for it, only these tables by qubits.
        """
        noise = copy.copy(self._simulator.options.noise_model)
        noise._local_quantum_errors = {
            name: {at: error for at, error in errors.items() if used.issuperset(at)}
            for name, errors in noise._local_quantum_errors.items()
        }
        noise._local_readout_errors = {
            at: error for at, error in noise._local_readout_errors.items() if used.issuperset(at)
        }
        return noise
