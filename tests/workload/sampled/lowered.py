"""Circuits cut and lowered for sampled mode, their dense values, and shots until a goal is met."""

import numpy as np
from qiskit.quantum_info import SparseObservable, SparsePauliOp, Statevector

from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.rounds import ShotRounds
from qdreamer_lab.workload.sampled.simulate import sample_fragment
from tests.circuits.plain import layered_cx_line, parallel_rotations


def lowered(circuit, labels, observables, cost="lo"):
    blocks = to_blocks(circuit)
    _, labels = np.unique(np.asarray(labels), return_inverse=True)
    labels = labels.reshape(-1, 2)
    lone = np.full(len(blocks.lone), labels.max(initial=-1) + 1)
    plan = CutPlan(blocks, labels, lone, max_qubits=99, cost=cost)
    sparse = as_sparse(observables, circuit.num_qubits)
    return lower(plan, [product_terms(one) for one in sparse])


def dense_values(circuit, observables):
    state = Statevector(circuit)
    operators = [SparsePauliOp.from_sparse_observable(SparseObservable(o)) for o in observables]
    return np.array([float(np.real(state.expectation_value(o))) for o in operators])


def sampled(run, seed, goal):
    rounds = ShotRounds(run, goal, (seed,))
    while requests := rounds.requests():
        results = map(sample_fragment, run.fragments, requests)
        rounds.take([(result.tensor, result.samples) for result in results])
    return rounds


CUTS = {
    "gate": (layered_cx_line(), [[0, 0], [0, 1], [1, 1]] * 2, "lo"),
    "wire": (layered_cx_line(5, layers=1), [[0, 0], [0, 0], [1, 1], [1, 1]], "lo"),
    "mixed": (layered_cx_line(), [[0, 0], [0, 1], [1, 1], [0, 0], [1, 1], [1, 1]], "lo"),
    "joint": (parallel_rotations(), [[0, 0], [1, 1], [0, 1], [0, 1], [0, 0], [1, 1]], "joint"),
}
