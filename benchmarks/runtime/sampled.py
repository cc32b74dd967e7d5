"""Sampled mode: error, circuits and time against the addon, and whether error bars are true."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit

from benchmarks.runtime.cases import dense, ends_and_middle, labels_of, pauli, su2
from benchmarks.runtime.peers import addon_sampled
from benchmarks.runtime.rows import Row, at_least, seconds_text, timed
from qdreamer_lab import CutEstimator, CutPlan, plan_cuts
from qdreamer_lab.workload.circuit.blocks import to_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qiskit.quantum_info import SparsePauliOp

SHOTS = 72_000
"""In total, for all observables; a thousand for each of the addon's circuits."""

COVERAGE_SHOTS = 4_000
COVERAGE_SEEDS = 300


def ours(circuit: QuantumCircuit, observables: list[SparsePauliOp], shots: int, seed: int) -> Any:
    """A PUB's result from a fresh estimator, plan included."""
    estimator = CutEstimator(8, mode="sampled", shots=shots, seed=seed)
    return estimator.run([(circuit, observables)]).result()[0]


def against_addon(seeds: int, peer_seeds: int) -> Iterator[Row]:
    """EfficientSU2 on 16 qubits in two halves, two CX cut, at equal total shots."""
    circuit = su2(16)
    observables = [*ends_and_middle(16), pauli("ZZ", [0, 15], 16), pauli("ZZ", [6, 9], 16)]
    plan = plan_cuts(circuit, 8)
    labels = labels_of(plan)
    truth = dense(circuit, observables)
    ours(circuit, observables, SHOTS, 0)
    runs = [timed(lambda k=k: ours(circuit, observables, SHOTS, k)) for k in range(seeds)]
    peers = [
        timed(lambda k=k: addon_sampled(circuit, labels, observables, SHOTS, k))
        for k in range(peer_seeds)
    ]
    mine, other = runs[0][0].metadata, peers[0][0]
    assert max(mine["shots"], other.shots) <= SHOTS
    seconds = [statistics.median(s for _, s in each) for each in (runs, peers)]
    squares = [
        np.square([found.data.evs - truth for found, _ in runs]),
        np.square([found.values - truth for found, _ in peers]),
    ]
    rmse = [float(np.sqrt(each.mean())) for each in squares]
    spread = [scatter(each) for each in squares]
    name = f"su2 16 q W=8, {plan.num_cuts} CX cuts, {SHOTS} shots"
    said = float(np.sqrt(np.square([found.data.stds for found, _ in runs]).mean()))
    raw = {
        "rmse": rmse,
        "rmse_error": spread,
        "standard_error_said": said,
        "per_observable": [np.sqrt(each.mean(axis=0)).tolist() for each in squares],
        "seeds": [seeds, peer_seeds],
        "mean_error": [
            np.mean([found.data.evs - truth for found, _ in runs], axis=0).tolist(),
            np.mean([found.values - truth for found, _ in peers], axis=0).tolist(),
        ],
        "shots": [mine["shots"], other.shots],
    }
    texts = [f"{r:.5f} ± {s:.5f}" for r, s in zip(rmse, spread, strict=True)]
    yield Row(
        f"{name}: RMSE", texts[0], f"addon {texts[1]}", rmse[1] / rmse[0], ">= 1x",
        rmse[0] <= rmse[1], raw,
    )  # fmt: skip
    fewer = (rmse[1] / rmse[0]) ** 2
    note = "by RMSE^2 ~ 1/shots"
    yield Row("  factor in shots at equal RMSE", note, "addon", fewer, "report", None)
    circuits = (mine["variants"], other.circuits)
    yield at_least("  circuits", circuits[1] / circuits[0], 2, str(circuits[0]), str(circuits[1]))
    yield at_least(
        "  wall time, one value",
        seconds[1] / seconds[0],
        30,
        seconds_text(seconds[0]),
        f"addon {seconds_text(seconds[1])}",
        seconds=seconds[0],
        peer_seconds=seconds[1],
        phases={key: mine[key] for key in ("plan_s", "execute_s", "contract_s")},
    )


def scatter(squares: np.ndarray) -> float:
    """Standard error of the root of the mean of squares, from the scatter between seeds."""
    per_seed = squares.mean(axis=1)
    error = per_seed.std(ddof=1) / np.sqrt(len(per_seed))
    return float(error / (2 * np.sqrt(per_seed.mean())))


def chain(num_qubits: int = 4, layers: int = 2) -> QuantumCircuit:
    """Layers of rotations and a ladder of CX."""
    circuit = QuantumCircuit(num_qubits)
    for layer in range(layers):
        for qubit in range(num_qubits):
            circuit.ry(0.4 + 0.3 * qubit + layer, qubit)
        for qubit in range(num_qubits - 1):
            circuit.cx(qubit, qubit + 1)
    return circuit


def rotations() -> QuantumCircuit:
    """Two pairs of qubits, with two parallel rotations between the pairs."""
    circuit = QuantumCircuit(4)
    circuit.ry(0.7, range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    circuit.rzz(0.9, 0, 2)
    circuit.rzz(1.3, 1, 3)
    circuit.rx(0.5, range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    return circuit


CUTS = {
    "gate": (chain(), [[0, 0], [0, 1], [1, 1]] * 2, "lo"),
    "wire": (chain(5, layers=1), [[0, 0], [0, 0], [1, 1], [1, 1]], "lo"),
    "mixed": (chain(), [[0, 0], [0, 1], [1, 1], [0, 0], [1, 1], [1, 1]], "lo"),
    "joint": (rotations(), [[0, 0], [1, 1], [0, 1], [0, 1], [0, 0], [1, 1]], "joint"),
}
"""For each kind of cut a circuit, the fragment of both ends of each block, and a cost model."""


def coverage(seeds: int = COVERAGE_SEEDS) -> Iterator[Row]:
    """How often the truth lies within 1.96 standard errors."""
    for kind, (circuit, labels, cost) in CUTS.items():
        num_qubits = circuit.num_qubits
        everywhere = pauli("Z" * num_qubits, list(range(num_qubits)), num_qubits)
        observables = [everywhere, pauli("ZZ", [0, 1], num_qubits)]
        blocks = to_blocks(circuit)
        nobody = np.full(len(blocks.lone), -1)
        plan = CutPlan(blocks, np.array(labels), nobody, max_qubits=num_qubits, cost=cost)
        truth = dense(circuit, observables)
        off = []
        for seed in range(seeds):
            estimator = CutEstimator(
                num_qubits, plan=plan, mode="sampled", shots=COVERAGE_SHOTS, seed=seed
            )
            data = estimator.run([(circuit, observables)]).result()[0].data
            off.append((data.evs - truth) / data.stds)
        covered = np.mean(np.abs(off) < 1.96, axis=0)
        text = ", ".join(f"{100 * share:.1f} %" for share in covered)
        met = bool((covered >= 0.91).all() and (covered <= 0.98).all())
        raw = {"covered": covered.tolist(), "mean_pull": np.mean(off, axis=0).tolist()}
        title = f"95 % interval, {kind} cuts, {seeds} repeats"
        yield Row(title, text, f"{plan.num_cuts} cuts", None, "91-98 %", met, raw)
