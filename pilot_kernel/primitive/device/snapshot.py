"""A snapshot of a real device, simulated by Aer: its couplings, gates and noise on some day."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from pilot_kernel.primitive.circuit.idle_qubits import qubits_in_use
from pilot_kernel.resource.worker_environment import cores

__all__ = ["NoisySnapshot"]


class NoisySnapshot(BackendV2):  # type: ignore[misc]
    """A `BackendV2` with a device's target and Aer behind it.

    Only the qubits in use are simulated, and only their noise is handed to Aer: with the noise of
    all 127 qubits of a device, Aer takes over a second before it starts, whatever the circuit.

    Args:
        name: What to call it.
        target: The device's gates and couplings, with the errors that are its noise.
    """

    def __init__(self, name: str, target: Target) -> None:
        super().__init__(name=name, description=f"snapshot of {name}, simulated")
        self._target = target

    @property
    def target(self) -> Target:
        """The device's target."""
        return self._target

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
        return self._simulator.run(circuits, noise_model=_noise(self, used), **options)

    @cached_property
    def _simulator(self) -> AerSimulator:
        return AerSimulator.from_backend(self, noise_model=None, max_parallel_threads=cores() or 0)


@lru_cache(maxsize=64)
def _noise(device: NoisySnapshot, used: frozenset[int]) -> NoiseModel:
    """The noise of some of a device's qubits."""
    whole = device.target
    part = Target(num_qubits=whole.num_qubits, dt=whole.dt, qubit_properties=whole.qubit_properties)
    for name in whole.operation_names:
        gate, places = whole.operation_from_name(name), whole[name]
        if isinstance(gate, type) or None in places:  # control flow, or on any qubits alike
            part.add_instruction(gate, name=name)
        else:
            kept = {at: errors for at, errors in places.items() if used.issuperset(at)}
            part.add_instruction(gate, kept, name=name)
    return NoiseModel.from_backend(NoisySnapshot(device.name, part))
