"""Compares cut and uncut circuits on the same noisy device, at the same number of shots.

    python -m benchmarks.runtime.noise
    python -m benchmarks.runtime.noise --device fake_sherbrooke --seeds 4

The device is that of a pilot `qpu://fake_guadalupe`. Both run through `CutEstimator`: a circuit
that fits is a plan without cuts. Both are transpiled at optimization level 3, and get the same
shots in total. The error is the distance from the noiseless value. It has two parts: what noise
does, the bias, which shots do not cure; and the scatter of the shots, which cutting multiplies.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

from pilot_kernel.primitive.device.backend import backend_named
from qdreamer_lab import plan_cuts
from qdreamer_lab.workload.estimator import CutEstimator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qiskit.providers import BackendV2

QUBITS = 10


@dataclass(frozen=True)
class Case:
    """A circuit and what is asked of it."""

    name: str
    circuit: QuantumCircuit
    observables: dict[str, SparsePauliOp]


def ghz() -> Case:
    """Ten qubits in a GHZ state; every observable is 1."""
    circuit = QuantumCircuit(QUBITS)
    circuit.h(0)
    for qubit in range(QUBITS - 1):
        circuit.cx(qubit, qubit + 1)
    pairs = [("ZZ", [k, k + 1], 1 / (QUBITS - 1)) for k in range(QUBITS - 1)]
    observables = {
        "X on all": SparsePauliOp("X" * QUBITS),
        "ZZ, mean of neighbours": SparsePauliOp.from_sparse_list(pairs, QUBITS),
        "ZZ of the ends": SparsePauliOp.from_sparse_list([("ZZ", [0, QUBITS - 1], 1)], QUBITS),
    }
    return Case("GHZ", circuit, observables)


def ansatz(seed: int = 7) -> Case:
    """A hardware-efficient ansatz at random angles, and an Ising chain in a transverse field."""
    circuit = efficient_su2(QUBITS, reps=2, entanglement="linear")
    angles = np.random.default_rng(seed).uniform(-math.pi / 4, math.pi / 4, circuit.num_parameters)
    bonds = [("ZZ", [k, k + 1], -1 / QUBITS) for k in range(QUBITS - 1)]
    fields = [("X", [k], -1 / QUBITS) for k in range(QUBITS)]
    middle = QUBITS // 2
    observables = {
        "energy per qubit": SparsePauliOp.from_sparse_list(bonds + fields, QUBITS),
        "ZZ across the cut": SparsePauliOp.from_sparse_list(
            [("ZZ", [middle - 1, middle], 1)], QUBITS
        ),
    }
    return Case("ansatz", circuit.assign_parameters(angles), observables)


def estimate(
    case: Case, width: int, backend: BackendV2, shots: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Values from fragments of up to `width` qubits, their standard errors, and the plan."""
    estimator = CutEstimator(width, mode="sampled", backend=backend, shots=shots, seed=seed)
    job = estimator.run([(case.circuit, list(case.observables.values()))])
    found = job.result()[0]
    return found.data.evs, found.data.stds, plan_cuts(case.circuit, width).summary


def mean_and_error(values: NDArray[np.float64]) -> str:
    """Mean ± its standard error."""
    return f"{values.mean():.4f} ± {values.std(ddof=1) / math.sqrt(len(values)):.4f}"


def compare(case: Case, width: int, backend: BackendV2, shots: int, seeds: int) -> None:
    """Print one table row per observable."""
    state = Statevector(case.circuit)
    truth = np.array([state.expectation_value(o).real for o in case.observables.values()])
    away = {}
    for size in (QUBITS, width):
        start = time.perf_counter()
        found = [estimate(case, size, backend, shots, seed) for seed in range(seeds)]
        away[size] = np.array([values for values, _, _ in found]) - truth
        said = np.mean([errors for _, errors, _ in found], axis=0)
        seconds = time.perf_counter() - start
        print(f"{case.name}: {found[0][2]}; {seconds:.0f} s; standard errors {said.round(4)}")
    print(f"| {case.name} | exact | uncut error | cut error | uncut bias | cut bias | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for k, name in enumerate(case.observables):
        uncut, cut = away[QUBITS][:, k], away[width][:, k]
        ratio = np.abs(cut).mean() / np.abs(uncut).mean()
        print(
            f"| {name} | {truth[k]:.4f} | {mean_and_error(np.abs(uncut))} | "
            f"{mean_and_error(np.abs(cut))} | {mean_and_error(uncut)} | {mean_and_error(cut)} | "
            f"{ratio:.2f} |"
        )
    print(flush=True)


def main() -> None:
    """Read the command line and run both cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="fake_guadalupe", help="as in qpu://fake_guadalupe")
    parser.add_argument("--width", type=int, default=5)
    parser.add_argument("--shots", type=int, default=64_000, help="in total, per value")
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    backend = backend_named(options.device)
    print(f"{options.device}, {options.shots} shots, {options.seeds} seeds, W = {options.width}\n")
    for case in (ghz(), ansatz()):
        compare(case, options.width, backend, options.shots, options.seeds)


if __name__ == "__main__":
    main()
