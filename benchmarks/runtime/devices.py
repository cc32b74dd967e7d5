"""Several devices: choosing by predicted error against taking turns, and two against one.

    python -m benchmarks.runtime.devices
    python -m benchmarks.runtime.devices --pair fake_manila fake_quito --shots 20000 --seeds 4

Errors: ten circuits of six qubits, each cut for at most three, on two fakes with the noise that
they were published with. A circuit that takes turns runs on either device every other time, so its
error is the mean of both; against it stands `prefer="fidelity"`. The error is the distance from the
noiseless values, the mean over the observables and the seeds, at equal shots.

Times: an ideal device whose every job takes some time more, alone and with another of its kind, on
a circuit of twelve variants.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Pauli, Statevector
from qiskit_aer import AerSimulator

from pilot_kernel.primitive.device.backend import backend_named
from qdreamer_lab import CutEstimator

if TYPE_CHECKING:
    from collections.abc import Sequence

QUBITS, WIDTH = 6, 3

OBSERVABLES = [*("I" * (5 - k) + "Z" + "I" * k for k in range(QUBITS)), "IIZZII", "ZIIIIZ"]


def drawn(seed: int) -> QuantumCircuit:
    """Rotations, and CX between neighbours, of a depth that grows with the number."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(QUBITS)
    for layer in range(1 + seed % 3):
        for qubit in range(QUBITS):
            circuit.ry(float(rng.uniform(0, np.pi / 2)), qubit)
        for qubit in range(layer % 2, QUBITS - 1, 2):
            if layer or qubit != 2:
                circuit.cx(qubit, qubit + 1)
    circuit.cx(2, 3)
    circuit.rx(0.4, range(QUBITS))
    return circuit


def off(circuit: QuantumCircuit, backends: Sequence[BackendV2], shots: int, seeds: int) -> Any:
    """Mean distance from the exact values, and who ran the fragments."""
    state = Statevector(circuit)
    true = np.array([state.expectation_value(Pauli(label)).real for label in OBSERVABLES])
    found, who = [], set()
    for seed in range(seeds):
        cut = CutEstimator(WIDTH, backend=list(backends), prefer="fidelity", shots=shots, seed=seed)
        (result,) = cut.run([(circuit, OBSERVABLES)]).result()
        found.append(float(np.abs(result.data.evs - true).mean()))
        who |= {row.device for row in result.record.fragments}
    return statistics.mean(found), sorted(who)


def errors(pair: Sequence[str], shots: int, seeds: int) -> None:
    """A row for each circuit, and the means."""
    backends = [backend_named(name) for name in pair]
    print(f"| circuit | {pair[0]} | {pair[1]} | turns | predicted error | ran on |")
    print("| --- | --- | --- | --- | --- | --- |")
    turns, chosen = [], []
    for number in range(10):
        circuit = drawn(number)
        one, other = (off(circuit, [backend], shots, seeds)[0] for backend in backends)
        best, who = off(circuit, backends, shots, seeds)
        turns.append((one + other) / 2)
        chosen.append(best)
        print(
            f"| {number} | {one:.4f} | {other:.4f} | {turns[-1]:.4f} | {best:.4f} "
            f"| {', '.join(who)} |",
            flush=True,
        )
    less = 1 - statistics.mean(chosen) / statistics.mean(turns)
    print(
        f"means: turns {statistics.mean(turns):.4f}, predicted error "
        f"{statistics.mean(chosen):.4f}: {100 * less:.0f} % less\n",
        flush=True,
    )


class Slow(BackendV2):  # type: ignore[misc]  # Qiskit has no types
    """An ideal device that takes so long for every job, and is not known to be a simulator."""

    def __init__(self, name: str, job_s: float) -> None:
        super().__init__(name=name)
        self._target = GenericBackendV2(QUBITS, ["rz", "sx", "x", "cx"], seed=1).target
        self._job_s = job_s
        self.jobs = 0

    @property
    def target(self) -> Any:
        """What it can do."""
        return self._target

    @property
    def max_circuits(self) -> None:
        """As many as anybody likes."""

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: Any, **options: Any) -> Any:
        """Run circuits, late."""
        self.jobs += 1
        time.sleep(self._job_s)
        return AerSimulator().run(run_input, **options)


def twelve() -> QuantumCircuit:
    """One CX across the middle: four variants on either side for each basis."""
    circuit = QuantumCircuit(QUBITS)
    for qubit in range(QUBITS):
        circuit.ry(0.3 + 0.2 * qubit, qubit)
    for qubit in range(QUBITS - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.rx(0.4, range(QUBITS))
    return circuit


def took(count: int, job_s: float) -> tuple[float, int, int]:
    """Seconds, variants and jobs on so many devices."""
    devices = [Slow(f"slow-{k}", job_s) for k in range(count)]
    cut = CutEstimator(WIDTH, backend=devices, shots=6000, seed=1)
    start = time.perf_counter()
    (result,) = cut.run([(twelve(), ["Z" * QUBITS, "X" + "I" * (QUBITS - 1)])]).result()
    return time.perf_counter() - start, result.record.variants, sum(each.jobs for each in devices)


def times(job_s: float, repeats: int) -> None:
    """One device against two, interleaved."""
    took(1, 0.0)  # so that everything ran once
    rows = [(took(1, job_s), took(2, job_s)) for _ in range(repeats)]
    alone, both = (min(each[k][0] for each in rows) for k in range(2))
    (_, variants, one), (_, _, two) = rows[0]
    print(
        f"{variants} variants, {job_s:g} s for a job: one device {alone:.2f} s ({one} jobs), two "
        f"{both:.2f} s ({two} jobs): {both / alone:.2f} of the time\n"
    )


def main() -> None:
    """Read the command line and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pair", nargs=2, default=["fake_manila", "fake_quito"])
    parser.add_argument("--shots", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--job-s", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    times(options.job_s, options.repeats)
    errors(options.pair, options.shots, options.seeds)


if __name__ == "__main__":
    main()
