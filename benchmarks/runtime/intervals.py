"""How often 95 % intervals of cut runs hold the truth: probabilities, and mitigated values.

    python -m benchmarks.runtime.intervals
    python -m benchmarks.runtime.intervals probabilities --seeds 300 --shots 4000
    python -m benchmarks.runtime.intervals readout --seeds 100

`probabilities`: six circuits, sampled mode of `CutSampler` without noise, an interval of 1.96
standard errors about each quasi-probability. `all` is the share of all outcomes and seeds that are
covered, `rare` that of outcomes less probable than 1 %, `worst` the outcome that is covered least
often, `mass` the sum of all probabilities of half of the bits. Outcomes that cannot happen count as
covered if they are estimated within their error bar like any other.

`readout`: expectation values with `mitigation="readout"` on snapshots of IBM devices. Error bars
tell of shots and of what is not known of the readout, not of what gates do: so coverage is given of
the noiseless values (`truth`), of what the device tends to with many shots (`limit`, the mean over
all seeds), and of the noiseless values on a device whose gates are perfect and which misreads as
the snapshot does (`readout only`).
"""

from __future__ import annotations

import argparse
import math
import time
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError

from benchmarks.runtime.cases import su2
from benchmarks.runtime.distributions import ghz, kicked, pairs
from pilot_kernel.primitive.device.backend import backend_named
from qdreamer_lab import CutEstimator, CutSampler

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit.providers import BackendV2

CASES: dict[str, tuple[QuantumCircuit, int]] = {
    "su2_4_r2": (su2(4, 2), 2),
    "su2_6_r1": (su2(6, 1), 3),
    "ghz_6": (ghz(6), 3),
    "ghz_7_thirds": (ghz(7), 3),
    "kicked_6_s1": (kicked(6, 1), 3),
    "pairs_7": (pairs(7, 3), 4),
}

DEVICES = ("fake_manila", "fake_guadalupe")
LABELS = ("ZZZZ", "IIZZ", "ZIII", "XIYI")
READOUT_SHOTS = 20_000


def covered(found: NDArray[np.float64], stds: NDArray[np.float64], truth: object) -> object:
    """(seeds, ...) whether each interval holds the truth, up to rounding."""
    return np.abs(found - truth) <= 1.96 * stds + 1e-12


def of_probabilities(seeds: int, shots: int) -> None:
    """A row for each circuit."""
    print(f"95 % intervals of probabilities, {seeds} seeds, {shots} shots\n")
    print("| circuit | all | rare | worst | marginals | bias, greatest in sigma |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (circuit, width) in CASES.items():
        count = circuit.num_qubits
        half = list(range(0, count, 2))
        truth = Statevector(circuit).probabilities()
        of_half = Statevector(circuit).probabilities(half)
        rows, halves = [], []
        for seed in range(seeds):
            sampler = CutSampler(width, mode="sampled", seed=seed)
            job = sampler.run([circuit.measure_all(inplace=False)], shots=shots)
            told = job.result()[0].distribution
            rows.append((told.quasi(), told.stds()))
            halves.append((told.quasi(half), told.stds(half)))
        quasi, stds = np.array(rows).swapaxes(0, 1)
        inside = covered(quasi, stds, truth)
        rare = inside[:, truth < 0.01]
        halved = covered(*np.array(halves).swapaxes(0, 1), of_half)
        spread = np.maximum(quasi.std(axis=0, ddof=1), 1e-12)
        bias = np.abs(quasi.mean(axis=0) - truth) / spread * math.sqrt(seeds)
        print(
            f"| {name} | {inside.mean():.1%} | {rare.mean() if rare.size else math.nan:.1%} | "
            f"{inside.mean(axis=0).min():.1%} | {halved.mean():.1%} | {bias.max():.1f} |",
            flush=True,
        )


def circuit_of(seed: int) -> QuantumCircuit:
    """Four qubits in a line, small rotations and CX."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(len(LABELS[0]))
    for qubit in range(circuit.num_qubits):
        circuit.ry(float(rng.uniform(0, 1)), qubit)
    for qubit in range(circuit.num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
        circuit.rx(float(rng.uniform(0, 1)), qubit + 1)
    return circuit


def only_misreading(backend: BackendV2) -> AerSimulator:
    """Perfect gates, and the readout errors that a device's target tells."""
    noise = NoiseModel()
    errors = backend.target["measure"]
    for (qubit,), told in errors.items():
        share = told.error or 0.0
        # The target tells one number; IBM's devices misread 1 about twice as often as 0.
        zero, one = min(0.5, 2 * share / 3), min(0.5, 4 * share / 3)
        noise.add_readout_error(ReadoutError([[1 - zero, zero], [one, 1 - one]]), [qubit])
    return AerSimulator(noise_model=noise)


def values(backend: BackendV2, circuit: QuantumCircuit, seeds: int) -> NDArray[np.float64]:
    """(2, seeds, observables): values with readout mitigation, and their standard errors."""
    rows = []
    for seed in range(seeds):
        cut = CutEstimator(2, backend=backend, shots=READOUT_SHOTS, seed=seed, mitigation="readout")
        data = cut.run([(circuit, list(LABELS))]).result()[0].data
        rows.append((data.evs, data.stds))
    return np.array(rows).swapaxes(0, 1)


def of_readout(seeds: int) -> None:
    """A row for each device and circuit."""
    print(f"\nmitigation='readout', {seeds} seeds, {READOUT_SHOTS} shots\n")
    print("| device | circuit | truth | limit | readout only | bias of gates |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in DEVICES:
        backend = backend_named(name)
        for number in range(2):
            circuit = circuit_of(number)
            state = Statevector(circuit)
            truth = np.array([state.expectation_value(Pauli(label)).real for label in LABELS])
            evs, stds = values(backend, circuit, seeds)
            middle = evs.mean(axis=0)
            only, their = values(only_misreading(backend), circuit, seeds)
            told = (
                covered(evs, stds, truth),
                covered(evs, stds, middle),
                covered(only, their, truth),
            )
            print(
                f"| {name} | {number} | "
                + " | ".join(f"{np.mean(each):.1%}" for each in told)
                + f" | {np.abs(middle - truth).mean():.4f} |",
                flush=True,
            )


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="probabilities, readout, or both")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--shots", type=int, default=4000)
    chosen = parser.parse_args()
    unknown = set(chosen.parts) - {"probabilities", "readout"}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    parts = chosen.parts or ["probabilities", "readout"]
    start = time.process_time()
    if "probabilities" in parts:
        of_probabilities(chosen.seeds, chosen.shots)
    if "readout" in parts:
        of_readout(chosen.seeds)
    print(f"\n{time.process_time() - start:.0f} s of processor time")


if __name__ == "__main__":
    main()
