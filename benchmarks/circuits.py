"""The circuits on which cut finders are compared; building them is all this file does.

Every circuit ends up in the gates u, cx, cz, cp and rzz, without measurements, barriers, resets
or idle qubits. Needs networkx; mqt-bench and qiskit-ibm-runtime for the circuits they provide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import efficient_su2

if TYPE_CHECKING:
    from collections.abc import Callable

GATES = ["u", "cx", "rzz", "cp", "cz"]
DROPPED = {"measure", "barrier", "reset"}


@dataclass(frozen=True)
class Case:
    """A circuit by name, how to build it, and the widths to cut it to."""

    name: str
    build: Callable[[], QuantumCircuit]
    widths: tuple[int, ...]


def normal(circuit: QuantumCircuit) -> QuantumCircuit:
    """Rewrite a circuit in the common gates and close the gaps that idle qubits leave."""
    unitary = QuantumCircuit(circuit.num_qubits)
    for step in circuit.data:
        if step.operation.name not in DROPPED:
            unitary.append(step.operation, [circuit.find_bit(bit).index for bit in step.qubits])
    flat = transpile(unitary, basis_gates=GATES, optimization_level=1, seed_transpiler=1)
    steps = [(s.operation, [flat.find_bit(bit).index for bit in s.qubits]) for s in flat.data]
    busy = {qubit: k for k, qubit in enumerate(sorted({q for _, qs in steps for q in qs}))}
    compact = QuantumCircuit(len(busy))
    for operation, qubits in steps:
        compact.append(operation, [busy[q] for q in qubits])
    return compact


def hardware_efficient(n: int, reps: int, entanglement: str) -> QuantumCircuit:
    """EfficientSU2 with angles spread evenly over [0.1, 2.9]."""
    ansatz = efficient_su2(n, entanglement=entanglement, reps=reps)
    return normal(ansatz.assign_parameters(np.linspace(0.1, 2.9, ansatz.num_parameters)))


def qaoa_regular(n: int, layers: int, seed: int) -> QuantumCircuit:
    """QAOA on a random 3-regular graph."""
    edges = sorted(nx.random_regular_graph(3, n, seed=seed).edges)
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for layer in range(layers):
        for first, second in edges:
            circuit.rzz(0.7 + 0.1 * layer, first, second)
        circuit.rx(0.4, range(n))
    return normal(circuit)


def sparse_random(n: int, depth: int, seed: int) -> QuantumCircuit:
    """Layers of a random perfect matching, of which half the pairs get a CX."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(n)
    for _ in range(depth):
        shuffled = rng.permutation(n)
        for first, second in shuffled[: n - n % 2].reshape(-1, 2):
            if rng.random() < 0.5:
                circuit.cx(int(first), int(second))
        for qubit in range(n):
            circuit.ry(float(rng.random()), qubit)
    return normal(circuit)


def lattice(rows: int, columns: int, steps: int) -> QuantumCircuit:
    """Trotter steps of an Ising model on a square lattice."""
    n = rows * columns
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for _ in range(steps):
        for site in range(n):
            if (site + 1) % columns:
                circuit.rzz(0.3, site, site + 1)
            if site + columns < n:
                circuit.rzz(0.3, site, site + columns)
        circuit.rx(0.5, range(n))
    return normal(circuit)


@cache
def eagle_bonds() -> tuple[tuple[int, int], ...]:
    """Neighbours on the heavy-hex lattice of the 127-qubit IBM Eagle processors."""
    from qiskit_ibm_runtime.fake_provider import FakeSherbrooke

    coupling = FakeSherbrooke().coupling_map.get_edges()
    return tuple(sorted({(min(edge), max(edge)) for edge in coupling}))


def kicked_ising(steps: int) -> QuantumCircuit:
    """Kicked Ising on the heavy-hex lattice."""
    bonds = eagle_bonds()
    circuit = QuantumCircuit(127)
    for _ in range(steps):
        circuit.rx(0.6, range(127))
        for first, second in bonds:
            circuit.rzz(-math.pi / 2, first, second)
    return normal(circuit)


def mqt_bench(name: str, n: int) -> QuantumCircuit:
    """A circuit of MQT Bench, independent of any target."""
    from mqt.bench import BenchmarkLevel, get_benchmark

    return normal(get_benchmark(name, BenchmarkLevel.INDEP, n))


CASES = (
    Case("su2_36_r2_lin", lambda: hardware_efficient(36, 2, "linear"), (18, 12, 9)),
    Case("su2_24_r2_circ", lambda: hardware_efficient(24, 2, "circular"), (12, 8)),
    Case("qaoa_20_p1", lambda: qaoa_regular(20, 1, 7), (10, 7)),
    Case("qaoa_30_p1", lambda: qaoa_regular(30, 1, 7), (15,)),
    Case("rand_16_d4", lambda: sparse_random(16, 4, 1), (8,)),
    Case("grid_4x6_r1", lambda: lattice(4, 6, 1), (12, 8)),
    Case("grid_5x5_r2", lambda: lattice(5, 5, 2), (13,)),
    Case("kicked127_1", lambda: kicked_ising(1), (64, 32)),
    Case("vqe_real_amp_20", lambda: mqt_bench("vqe_real_amp", 20), (10,)),
    Case("mqt_ghz_60", lambda: mqt_bench("ghz", 60), (20,)),
    Case("mqt_wstate_36", lambda: mqt_bench("wstate", 36), (12,)),
    Case("mqt_qft_16", lambda: mqt_bench("qft", 16), (8,)),
    Case("mqt_adder_26", lambda: mqt_bench("cdkm_ripple_carry_adder", 26), (13,)),
    Case("mqt_qaoa_16", lambda: mqt_bench("qaoa", 16), (8,)),
    Case("mqt_two_local_16", lambda: mqt_bench("vqe_two_local", 16), (8,)),
    Case("mqt_bv_30", lambda: mqt_bench("bv", 30), (10,)),
    Case("mqt_qwalk_9", lambda: mqt_bench("qwalk", 9), (6,)),
    Case("heavyhex_trotter_127_s3", lambda: kicked_ising(3), (43,)),
)
