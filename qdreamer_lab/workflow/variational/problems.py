"""What is minimised: Hamiltonians, the circuits that prepare trial states, and the true minima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["H2_REPULSION", "Problem", "cut_sizes", "h2", "ising_chain", "max_cut", "random_graph"]

Edges = tuple[tuple[int, int, float], ...]

H2_REPULSION = 0.7199689944489797
"""Of the two nuclei of H2 at 0.735 Å, in hartree: (0.529177210903 Å / a0) / 0.735 Å."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A Hamiltonian, trial states, and how low it goes.

    Attributes:
        name: In words.
        hamiltonian: What is minimised.
        ansatz: Prepares a trial state; its parameters are what the optimiser moves.
        minimum: The least value that a state has; of a cut problem that of a bit string.
        edges: Of the graph that is cut, with their weights; none for other problems.
    """

    name: str
    hamiltonian: SparsePauliOp
    ansatz: QuantumCircuit
    minimum: float
    edges: Edges = ()


def ising_chain(qubits: int, field: float, layers: int) -> Problem:
    """An Ising chain with open ends in a transverse field: H = -Σ Z_k Z_{k+1} - g Σ X_k.

    Trial states are those of the Hamiltonian variational ansatz: from |+…+⟩, layers of evolution
    under the couplings and under the field, each with one parameter that occurs many times.

        Wecker, Hastings & Troyer, Phys. Rev. A 92, 042303 (2015)

    Args:
        qubits: At least two.
        field: g.
        layers: Each with two parameters.
    """
    terms = [("ZZ", [k, k + 1], -1.0) for k in range(qubits - 1)]
    terms += [("X", [k], -field) for k in range(qubits)]
    hamiltonian = SparsePauliOp.from_sparse_list(terms, qubits)
    couplings, fields = ParameterVector("a", layers), ParameterVector("b", layers)
    ansatz = QuantumCircuit(qubits)
    ansatz.h(range(qubits))
    for layer in range(layers):
        for k in range(qubits - 1):
            ansatz.rzz(-2 * couplings[layer], k, k + 1)
        for k in range(qubits):
            ansatz.rx(-2 * fields[layer], k)
    name = f"Ising chain of {qubits}, field {field:g}"
    return Problem(name, hamiltonian, ansatz, _chain_minimum(qubits, field))


def _chain_minimum(qubits: int, field: float) -> float:
    """The ground energy, from free fermions.

    Its modes have energies 2 s_k, where s_k are the singular values of the matrix with g on its
    diagonal and 1 beside it; E = -Σ s_k.

        Lieb, Schultz & Mattis, Ann. Phys. 16, 407 (1961); Pfeuty, Ann. Phys. 57, 79 (1970)
    """
    matrix = np.diag(np.full(qubits, field)) + np.diag(np.ones(qubits - 1), 1)
    return -float(np.linalg.svd(matrix, compute_uv=False).sum())


def h2() -> Problem:
    """The hydrogen molecule at 0.735 Å in the STO-3G basis, on two qubits; electrons only.

    Parity mapping with two qubits removed by symmetry. With `H2_REPULSION` added, its minimum is
    the energy of the molecule, -1.137306 hartree.

        Coefficients: Qiskit's tutorial "Simulating molecules using VQE" and Qiskit Nature's
        documentation (ParityMapper, PySCF driver, "H 0 0 0; H 0 0 0.735", sto3g); the tests derive
        the same levels from the integrals of Szabo & Ostlund, Modern Quantum Chemistry, ch. 3.
    """
    hamiltonian = SparsePauliOp.from_list(
        [
            ("II", -1.052373245772859),
            ("IZ", 0.39793742484318045),
            ("ZI", -0.39793742484318045),
            ("ZZ", -0.01128010425623538),
            ("XX", 0.18093119978423156),
        ]
    )
    angles = ParameterVector("t", 4)
    ansatz = QuantumCircuit(2)  # any real state of two qubits
    for k, angle in enumerate(angles):
        ansatz.ry(angle, k % 2)
        if k == 1:
            ansatz.cx(0, 1)
    minimum = float(np.linalg.eigvalsh(hamiltonian.to_matrix())[0])
    return Problem("H2 at 0.735 Å", hamiltonian, ansatz, minimum)


def max_cut(qubits: int, edges: Edges, layers: int) -> Problem:
    """The greatest cut of a graph: H = Σ w (Z_a Z_b - 1) / 2, minus the weight of what is cut.

    Trial states are those of QAOA, with two parameters in a layer.

        Farhi, Goldstone & Gutmann, arXiv:1411.4028 (2014)

    Args:
        qubits: Nodes.
        edges: Two nodes and a weight, each.
        layers: Each with two parameters.
    """
    terms = [("ZZ", [a, b], weight / 2) for a, b, weight in edges]
    terms.append(("", [], -sum(weight for _, _, weight in edges) / 2))
    hamiltonian = SparsePauliOp.from_sparse_list(terms, qubits)
    costs, mixers = ParameterVector("c", layers), ParameterVector("m", layers)
    ansatz = QuantumCircuit(qubits)
    ansatz.h(range(qubits))
    for layer in range(layers):
        for a, b, weight in edges:
            ansatz.rzz(weight * costs[layer], a, b)
        for k in range(qubits):
            ansatz.rx(2 * mixers[layer], k)
    name = f"greatest cut of {qubits} nodes and {len(edges)} edges"
    return Problem(name, hamiltonian, ansatz, -float(cut_sizes(qubits, edges).max()), edges)


def cut_sizes(qubits: int, edges: Edges) -> NDArray[np.float64]:
    """(2**qubits,) the weight that each bit string cuts; bit k is the side of node k."""
    strings = np.arange(1 << qubits)
    sizes = np.zeros(len(strings))
    for a, b, weight in edges:
        sizes += weight * ((strings >> a ^ strings >> b) & 1)
    return sizes


def random_graph(nodes: int, seed: int) -> Edges:
    """A circle through all nodes, and as many chords again as are drawn; weights are 1.

    Args:
        nodes: At least two.
        seed: Of what is drawn.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(nodes).tolist()
    pairs = {tuple(sorted(pair)) for pair in zip(order, order[1:] + order[:1], strict=True)}
    for a, b in random.integers(0, nodes, (nodes // 2, 2)).tolist():
        if a != b:
            pairs.add((min(a, b), max(a, b)))
    return tuple((a, b, 1.0) for a, b in sorted(pairs))
