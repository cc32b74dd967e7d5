"""What mitigation makes of the errors of noisy devices, at the same number of shots.

    python -m benchmarks.runtime.mitigation
    python -m benchmarks.runtime.mitigation --circuits 10 --seeds 4 --shots 40000

Ten circuits of six qubits are cut to fragments of up to three, and run on snapshots of two IBM
devices in turn, with every kind of mitigation (or `--ways`), all with the same shots, those that
show misread qubits and those of folded circuits included. The error is the distance from the
noiseless value, mean over observables. Error bars tell nothing of what gates do to values; they are
held against how far values of other seeds scatter (`scatter`, 1 if error bars are as large as
that).
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector

from pilot_kernel.primitive.device.backend import backend_named
from qdreamer_lab.workload.estimator import CutEstimator

QUBITS, WIDTH = 6, 3
DEVICES = ("fake_manila", "fake_guadalupe")
LABELS = ("ZZZZZZ", "IIZZII", "ZIIIII", "IIIIZZ", "IXXIII", "IZIZIZ")
WAYS: dict[str, tuple[str, ...] | None] = {
    "nothing": None,
    "readout": ("readout",),
    "twirling": ("twirling",),
    "both": ("readout", "twirling"),
    "zne": ("zne",),
    "readout_zne": ("readout", "zne"),
}


def circuit_of(seed: int) -> QuantumCircuit:
    """A line of random rotations, small enough that values stay away from zero, and CX."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(QUBITS)
    for layer in range(2):
        for qubit in range(QUBITS):
            circuit.ry(float(rng.uniform(-0.6, 0.6)), qubit)
            circuit.rx(float(rng.uniform(-0.4, 0.4)), qubit)
        for qubit in range(layer, QUBITS - 1, 1 + layer):
            if layer == 0 or qubit != WIDTH - 1:  # one gate is to be cut, not two
                circuit.cx(qubit, qubit + 1)
    return circuit


def main() -> None:
    """Read the command line, run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--circuits", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--shots", type=int, default=40_000, help="in total, per value")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    options = parser.parse_args()
    ways = {name: WAYS[name] for name in dict.fromkeys(("nothing", *options.ways))}
    backends = [backend_named(name) for name in DEVICES]
    errors, scatter = defaultdict(list), defaultdict(list)
    start = time.perf_counter()
    for number in range(options.circuits):
        backend, circuit = backends[number % len(backends)], circuit_of(number)
        state = Statevector(circuit)
        truth = np.array([state.expectation_value(Pauli(label)).real for label in LABELS])
        for name, mitigation in ways.items():
            found = []
            for seed in range(options.seeds):
                cut = CutEstimator(
                    WIDTH,
                    backend=backend,
                    shots=options.shots,
                    seed=seed,
                    mitigation=mitigation,
                )
                result = cut.run([(circuit, list(LABELS))]).result()[0]
                found.append((result.data.evs, result.data.stds))
            values, stds = np.array(found).swapaxes(0, 1)
            errors[name].append(np.abs(values - truth).mean())
            if options.seeds > 1:
                scatter[name].append(values.var(axis=0, ddof=1) / np.square(stds).mean(axis=0))
        told = ", ".join(f"{name} {errors[name][-1]:.4f}" for name in ways)
        print(f"circuit {number} on {backend.name}: {told}", flush=True)
    print(f"\n{options.shots} shots, {options.seeds} seeds, {time.perf_counter() - start:.0f} s\n")
    print("| mitigation | mean error | of none | better | scatter |")
    print("| --- | --- | --- | --- | --- |")
    for name in ways:
        mine, none = np.array(errors[name]), np.array(errors["nothing"])
        spread = f"{np.sqrt(np.mean(scatter[name])):.2f}" if scatter[name] else ""
        print(
            f"| {name} | {mine.mean():.4f} | {mine.mean() / none.mean():.2f} | "
            f"{(mine < none).sum()} of {len(mine)} | {spread} |"
        )


if __name__ == "__main__":
    main()
