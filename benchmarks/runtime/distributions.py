"""Distributions of cut circuits against QCut's, and the heaviest outcomes of wide circuits.

    python -m benchmarks.runtime.distributions --qcut /path/to/venv/bin/python --repeats 5

QCut needs an environment of its own (`pip install qcut==2.2.0` there); without `--qcut` its columns
stay empty. Six circuits, equal numbers of shots in all, every fragment within the same width, the
search for cuts included, simulators without noise on both sides (ours draws shots itself, QCut runs
Aer). `tvd` is the total variation distance of the nearest distribution from the dense state, the
mean over the repeats.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit.quantum_info import Statevector

from benchmarks.runtime.cases import su2
from qdreamer_lab import CutSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHOTS = 100_000
"""Of all circuits together, on both sides."""


def plain(circuit: QuantumCircuit) -> QuantumCircuit:
    """In gates that both sides read from OpenQASM."""
    return transpile(circuit, basis_gates=["u", "cx", "cz", "rzz"], optimization_level=0)


def ghz(num_qubits: int) -> QuantumCircuit:
    """A GHZ state, every fifth qubit turned."""
    circuit = QuantumCircuit(num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(0, num_qubits, 5):
        circuit.ry(0.4 + 0.02 * qubit, qubit)
    return circuit


def kicked(num_qubits: int, steps: int) -> QuantumCircuit:
    """A kicked Ising line."""
    circuit = QuantumCircuit(num_qubits)
    circuit.h(range(num_qubits))
    for _ in range(steps):
        for qubit in range(num_qubits - 1):
            circuit.rzz(0.7, qubit, qubit + 1)
        circuit.rx(0.9, range(num_qubits))
    return circuit


def pairs(num_qubits: int, seed: int) -> QuantumCircuit:
    """CX on random neighbours between rotations."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(num_qubits)
    for layer in range(3):
        for qubit in range(num_qubits):
            circuit.ry(float(rng.uniform(0, 3)), qubit)
        for qubit in range(layer % 2, num_qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    return circuit


SIX: dict[str, tuple[Callable[[], QuantumCircuit], int]] = {
    "su2_8_r1": (lambda: su2(8, 1), 4),
    "su2_10_r2": (lambda: su2(10, 2), 5),
    "ghz_10": (lambda: ghz(10), 5),
    "kicked_8_s2": (lambda: kicked(8, 2), 4),
    "kicked_9_s1": (lambda: kicked(9, 1), 3),
    "pairs_10": (lambda: pairs(10, 3), 5),
}

WIDE: dict[str, tuple[Callable[[], QuantumCircuit], int]] = {
    "ghz_60": (lambda: ghz(60), 20),
    "su2_36_r1": (lambda: su2(36, 1), 18),
    "kicked_36_s1": (lambda: kicked(36, 1), 18),
}


def distance(probabilities: np.ndarray, true: np.ndarray) -> float:
    """Total variation."""
    return 0.5 * float(np.abs(probabilities - true).sum())


def ours(circuit: QuantumCircuit, width: int, seed: int) -> dict[str, Any]:
    """One circuit by our sampler, from circuit to distribution."""
    start = time.perf_counter()
    sampler = CutSampler(width, mode="sampled", seed=seed)
    result = sampler.run([circuit.measure_all(inplace=False)], shots=SHOTS).result()[0]
    probabilities = result.distribution.probabilities()
    return {
        "seconds": time.perf_counter() - start,
        "circuits": result.record.variants,
        "shots": result.record.shots,
        "probabilities": probabilities,
    }


def of_qcut(python: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same by QCut, in its own interpreter."""
    script = Path(__file__).with_name("qcut_peer.py")
    done = subprocess.run(
        [python, str(script)], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def summary(runs: list[dict[str, Any]], true: np.ndarray) -> tuple[float, float, int, int]:
    """Mean distance, median seconds, circuits and shots."""
    tvd = statistics.mean(distance(np.array(run["probabilities"]), true) for run in runs)
    seconds = statistics.median(run["seconds"] for run in runs)
    return tvd, seconds, runs[0]["circuits"], runs[0]["shots"]


def against_qcut(python: str | None, repeats: int) -> Iterator[str]:
    """A line for each of the six."""
    circuits = {name: (plain(make()), width) for name, (make, width) in SIX.items()}
    for circuit, width in circuits.values():
        ours(circuit, width, 0)  # so that everything ran once
    theirs: list[dict[str, Any]] = []
    if python is not None:
        asked = [
            {"qasm": qasm2.dumps(circuit), "width": width, "shots": SHOTS}
            for circuit, width in circuits.values()
            for _ in range(repeats)
        ]
        theirs = of_qcut(python, asked)
    for place, (name, (circuit, width)) in enumerate(circuits.items()):
        true = Statevector(circuit).probabilities()
        tvd, seconds, count, shots = summary(
            [ours(circuit, width, seed) for seed in range(1, repeats + 1)], true
        )
        line = f"{name:14} ours: tvd {tvd:.4f}, {count} circuits, {shots} shots, {seconds:.3f} s"
        mine = theirs[place * repeats : (place + 1) * repeats]
        failed = [run["error"] for run in mine if "error" in run]
        if failed:
            line += f"   QCut: {failed[0]}"
        elif mine:
            tvd_q, seconds_q, count_q, shots_q = summary(mine, true)
            line += (
                f"   QCut: tvd {tvd_q:.4f}, {count_q} circuits, {shots_q} shots, {seconds_q:.3f} s"
                f"   ratios: tvd {tvd / tvd_q:.2f}, circuits {count / count_q:.2f}, "
                f"time {seconds_q / seconds:.1f}x"
            )
        yield line


def heaviest() -> Iterator[str]:
    """A line for each wide circuit."""
    for name, (make, width) in WIDE.items():
        start = time.perf_counter()
        circuit = make().measure_all(inplace=False)
        top = CutSampler(width).run([circuit], shots=1).result()[0].distribution.top(16)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        proven = "proven" if top.proven else f"others at most {top.others_at_most:.2e}"
        yield (
            f"{name:14} top {len(top.probabilities)}, {proven}, {seconds:.1f} s, "
            f"peak of the process so far {peak:.2f} GiB"
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--qcut", help="Python of an environment that has QCut")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    for line in heaviest():
        print(line, flush=True)
    for line in against_qcut(chosen.qcut, chosen.repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()
