"""Cut runs on local workers, and in the loop of a classical optimizer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize

from benchmarks.circuits import kicked_ising
from benchmarks.runtime.cases import bonds_of, ends_and_middle, su2
from benchmarks.runtime.rows import Row, at_least, seconds_text, timed
from pilot_kernel import Session
from qdreamer_lab import CutEstimator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def wide_exact(session: Session | None) -> Any:
    """Ten fragments of 18 qubits, of which eight have six cuts."""
    circuit = su2(180, reps=3)
    estimator = CutEstimator(18, mode="exact", session=session)
    return estimator.run([(circuit, ends_and_middle(180))]).result()[0]


def many_variants(session: Session | None) -> Any:
    """Three fragments of 8 qubits; the middle one has thousands of variants."""
    circuit = su2(24, reps=3)
    estimator = CutEstimator(8, mode="sampled", shots=4_000_000, seed=1, session=session)
    return estimator.run([(circuit, ends_and_middle(24))]).result()[0]


RUNS = {"exact, su2 180 q W=18": wide_exact, "sampled, su2 24 q W=8": many_variants}


def workers() -> Iterator[Row]:
    """The same run on one worker and on two, in turns, and what two cores are worth just then."""
    for name, run in RUNS.items():
        turns = [{count: on_workers(count, run) for count in (1, 2)} for _ in range(2)]
        single, both = (min(turn[count].seconds for turn in turns) for count in (1, 2))
        plain = [min(turn[count].plain_seconds for turn in turns) for count in (1, 2)]
        best = min((turn[2] for turn in turns), key=lambda each: each.seconds)
        yield at_least(
            f"two workers against one, {name}",
            single / both,
            1.6,
            f"{seconds_text(both)}, {100 * best.busy_seconds / both / 2:.0f} % busy",
            f"{seconds_text(single)}; plain sums {plain[0] / plain[1]:.2f}x",
            runs=[{count: vars(each) for count, each in turn.items()} for turn in turns],
            cores=os.cpu_count(),
            load=os.getloadavg()[0],
        )


@dataclass
class Timing:
    """A run on some workers.

    Attributes:
        seconds: Duration of the whole run.
        busy_seconds: Time in which workers ran its tasks, summed over workers.
        plain_seconds: Duration of two tasks that need nothing but a core each, right after.
    """

    seconds: float
    busy_seconds: float
    plain_seconds: float


def on_workers(count: int, run: Callable[[Session], Any]) -> Timing:
    """Run on so many local workers that are up and warm."""
    with Session() as session:
        session.add_pilot("local://", cores_per_node=count)
        warm = su2(12, reps=1)
        for _ in range(2):
            for mode in ("exact", "sampled"):
                small = CutEstimator(6, mode=mode, session=session)
                small.run([(warm, ends_and_middle(12))], precision=0.1).result()
        found, seconds = timed(lambda: run(session))
        busy = sum(row.seconds for row in found.metadata["fragments"])
        numbers = range(50_000_000)

        def plain() -> list[int]:
            return [task.result() for task in [session.submit(sum, numbers) for _ in range(2)]]

        return Timing(seconds, busy, timed(plain)[1])


def ising() -> tuple[QuantumCircuit, SparsePauliOp]:
    """An ansatz on a chain, and the Ising model in a transverse field."""
    num_qubits = 24
    ansatz = efficient_su2(num_qubits, su2_gates=["ry"], entanglement="linear", reps=1)
    bonds = [("ZZ", [k, k + 1], -1.0) for k in range(num_qubits - 1)]
    fields = [("X", [k], -0.7) for k in range(num_qubits)]
    return ansatz, SparsePauliOp.from_sparse_list([*bonds, *fields], num_qubits)


def max_cut() -> tuple[QuantumCircuit, SparsePauliOp]:
    """QAOA for the cut of a random 3-regular graph."""
    num_qubits = 20
    edges = sorted(nx.random_regular_graph(3, num_qubits, seed=7).edges)
    gamma, beta = ParameterVector("g", 1), ParameterVector("b", 1)
    ansatz = QuantumCircuit(num_qubits)
    ansatz.h(range(num_qubits))
    for first, second in edges:
        ansatz.rzz(gamma[0], first, second)
    ansatz.rx(beta[0], range(num_qubits))
    bonds = [("ZZ", list(edge), 0.5) for edge in edges]
    return ansatz, SparsePauliOp.from_sparse_list(bonds, num_qubits)


def kicked() -> tuple[QuantumCircuit, SparsePauliOp]:
    """A kicked-Ising step on the 127 qubits of a heavy-hex lattice, and its magnetisation."""
    fixed = kicked_ising(1)
    kick, bond = ParameterVector("k", 1), ParameterVector("b", 1)
    ansatz = QuantumCircuit(fixed.num_qubits)
    ansatz.rx(kick[0], range(fixed.num_qubits))
    for pair in bonds_of(fixed):
        ansatz.rzz(bond[0], *pair)
    ansatz.rx(0.3, range(fixed.num_qubits))
    places = [("Z", [qubit], 1 / fixed.num_qubits) for qubit in range(fixed.num_qubits)]
    return ansatz, SparsePauliOp.from_sparse_list(places, fixed.num_qubits)


def minimized(
    ansatz: QuantumCircuit, energy: SparsePauliOp, estimator: Callable[[], CutEstimator]
) -> tuple[Any, float]:
    """What COBYLA finds, and the seconds of one evaluation, the first excluded."""

    def cost(values: np.ndarray) -> float:
        return float(estimator().run([(ansatz, energy, values)]).result()[0].data.evs)

    start = np.random.default_rng(3).uniform(0.1, 0.5, ansatz.num_parameters)
    cost(start)
    most = max(40, ansatz.num_parameters + 2)  # COBYLA's first simplex takes so many
    best, seconds = timed(
        partial(minimize, cost, start, method="COBYLA", options={"maxiter": most})
    )
    return best, seconds / best.nfev


def loop() -> Iterator[Row]:
    """Variational loops of scipy's, on one estimator and on a new one for each evaluation."""
    cases = (("TFIM", ising(), 12), ("QAOA", max_cut(), 10), ("kicked Ising", kicked(), 8))
    for name, (ansatz, energy), width in cases:
        kept = CutEstimator(width, mode="exact")
        best, ours = minimized(ansatz, energy, partial(_same, kept))
        other, theirs = minimized(ansatz, energy, partial(CutEstimator, width, mode="exact"))
        assert abs(best.fun - other.fun) < 1e-3, (best.fun, other.fun)  # rounding sends it astray
        yield Row(
            f"{name} {ansatz.num_qubits} q W={width}, COBYLA, {best.nfev} evaluations",
            f"{seconds_text(ours)} each",
            f"planning anew {seconds_text(theirs)} each",
            theirs / ours,
            "> 1x",
            theirs > ours,
            {"seconds": ours, "peer_seconds": theirs, "energy": best.fun},
        )


def _same(estimator: CutEstimator) -> CutEstimator:
    return estimator
