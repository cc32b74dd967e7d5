"""A snapshot of a real device, simulated by Aer: its couplings, gates and noise on some day."""

from __future__ import annotations

import copy
from functools import cached_property, lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from pilot_kernel.primitive.circuit.idle_qubits import qubits_in_use
from pilot_kernel.primitive.device.readout import SEED_STEP
from pilot_kernel.resource.worker_environment import cores

__all__ = ["NoisySnapshot", "SnapshotSimulator"]


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
        return copy.deepcopy(self.simulator).run(circuits, **options)

    @cached_property
    def simulator(self) -> SnapshotSimulator:
        """What simulates it, as the local testing mode of IBM's primitives takes it."""
        threads = cores() or 0
        simulator: SnapshotSimulator = SnapshotSimulator.from_backend(
            self, noise_model=None, max_parallel_threads=threads
        )
        simulator.snapshot = self
        return simulator


class SnapshotSimulator(AerSimulator):  # type: ignore[misc]
    """Aer with the noise of the qubits in use, and a seed of its own for each circuit of a job.

    IBM's local testing mode makes a copy for each job, and runs its circuits there one by one, all
    with the seed of the job: they would draw the same numbers. So each gets the seed that Aer gives
    it in a job of many.

    Attributes:
        snapshot: What it simulates.
    """

    snapshot: NoisySnapshot
    _begun = 0  # circuits of this job

    def run(
        self,
        circuits: QuantumCircuit | list[QuantumCircuit],
        parameter_binds: Any = None,
        **options: Any,
    ) -> Any:
        """Run circuits, as `AerSimulator.run` does."""
        run = [circuits] if isinstance(circuits, QuantumCircuit) else list(circuits)
        used = frozenset[int]().union(*map(qubits_in_use, run))
        if options.get("seed_simulator") is not None:
            options["seed_simulator"] += SEED_STEP * self._begun
        self._begun += len(run)
        options["noise_model"] = _noise(self.snapshot, used)
        return super().run(run, parameter_binds, **options)

    def __deepcopy__(self, memo: Any) -> SnapshotSimulator:
        """One for another job; only its options are its own, since the rest never changes."""
        twin = copy.copy(self)
        twin._options, twin._begun = copy.copy(self._options), 0
        return twin


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
