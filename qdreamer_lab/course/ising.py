"""Exercises of the fifth notebook: a Hamiltonian, and a state with low energy that can be cut."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from scipy.optimize import minimize_scalar

from qdreamer_lab.course.circuits import bound_circuit, state_of
from qdreamer_lab.course.functions import call
from qdreamer_lab.course.verdict import NotRight, exercise
from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.plan.find import plan_cuts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_ansatz", "check_hamiltonian", "critical_energy"]

_SIZES = ((4, 0.7), (6, 1.3))
_QUBITS, _WIDTH, _MOST_OVERHEAD = 12, 6, 81.0
_X, _Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])


def critical_energy(num_qubits: int) -> float:
    """The ground state's energy of -Σ Z_i Z_{i+1} - Σ X_i on an open chain.

    1 - 1/sin(π/(2(2n + 1))), from free fermions (Pfeuty, Annals of Physics 57, 79 (1970)).

    Args:
        num_qubits: n, at least 1.
    """
    return 1 - 1 / math.sin(math.pi / (2 * (2 * num_qubits + 1)))


def _placed(num_qubits: int, *factors: tuple[int, NDArray[np.float64]]) -> NDArray[np.float64]:
    """(2^n, 2^n): one-qubit matrices on some qubits, qubit 0 last in the product, as in Qiskit."""
    whole: NDArray[np.float64] = np.eye(1)
    for qubit in reversed(range(num_qubits)):
        whole = np.asarray(np.kron(whole, dict(factors).get(qubit, np.eye(2))), np.float64)
    return whole


@cache
def _parts(num_qubits: int) -> tuple[NDArray[np.float64], ...]:
    """Σ ZZ along the chain, the bond that closes it to a ring, Σ X, Σ Z, and Σ XX."""
    bonds = [(k, k + 1) for k in range(num_qubits - 1)]
    zz = sum(_placed(num_qubits, (i, _Z), (j, _Z)) for i, j in bonds)
    xx = sum(_placed(num_qubits, (i, _X), (j, _X)) for i, j in bonds)
    closing = _placed(num_qubits, (0, _Z), (num_qubits - 1, _Z))
    x, z = (sum(_placed(num_qubits, (k, each)) for k in range(num_qubits)) for each in (_X, _Z))
    return tuple(np.asarray(each) for each in (zz, closing, x, z, xx))


@exercise
def check_hamiltonian(ising: object) -> str:
    """Check a function that makes the transverse-field Ising model on an open chain.

    Args:
        ising: Called as ising(n, h); returns -Σ Z_i Z_{i+1} - h Σ X_i as a `SparsePauliOp`.
    """
    found = [_matrix(call(ising, n, h), n) for n, h in _SIZES]
    if all(np.allclose(f, _wanted(n, h)) for f, (n, h) in zip(found, _SIZES, strict=True)):
        energies = ", ".join(f"{np.linalg.eigvalsh(f)[0]:.4f}" for f in found)
        return f"its matrix is right; the lowest eigenvalues for 4 and 6 qubits are {energies}."
    for reason, made in _MISTAKES:
        if all(np.allclose(f, made(n, h)) for f, (n, h) in zip(found, _SIZES, strict=True)):
            raise NotRight(reason)
    raise NotRight(
        "Its matrix is another one. For two qubits it is "
        "-ZZ - h XI - h IX; compare with what your function gives."
    )


def _matrix(answer: object, num_qubits: int) -> NDArray[np.complex128]:
    try:
        matrix = np.asarray(Operator(answer).data, dtype=np.complex128)
    except (QiskitError, TypeError, ValueError) as error:
        raise NotRight(
            f"An operator is wanted, such as a SparsePauliOp; this is {type(answer).__name__}."
        ) from error
    if matrix.shape != (2**num_qubits, 2**num_qubits):
        width = round(math.log2(matrix.shape[0]))
        raise NotRight(f"For n = {num_qubits} your operator acts on {width} qubits.")
    return matrix


def _wanted(n: int, h: float) -> NDArray[np.float64]:
    zz, _, x, _, _ = _parts(n)
    return -zz - h * x


_MISTAKES = (
    (
        "Both signs are wrong: with a minus, neighbours that agree lower the energy.",
        lambda n, h: -_wanted(n, h),
    ),
    (
        "The couplings have the wrong sign: with -ZZ, neighbours that agree lower the energy.",
        lambda n, h: _wanted(n, h) + 2 * _parts(n)[0],
    ),
    (
        "The field has the wrong sign; it is -h X.",
        lambda n, h: _wanted(n, h) + 2 * h * _parts(n)[2],
    ),
    (
        "Your chain is closed to a ring: the last qubit is coupled to the first. An open chain of "
        "n qubits has n - 1 couplings.",
        lambda n, h: _wanted(n, h) - _parts(n)[1],
    ),
    (
        "Your field points along Z. A transverse field is across the couplings: X.",
        lambda n, h: -_parts(n)[0] - h * _parts(n)[3],
    ),
    (
        "X and Z have changed places: couplings are ZZ, the field is X.",
        lambda n, h: -_parts(n)[4] - h * _parts(n)[3],
    ),
    (
        "The field is missing its strength h.",
        lambda n, h: -_parts(n)[0] - _parts(n)[2],
    ),
    (
        "There is no field: the terms -h X are missing.",
        lambda n, h: -_parts(n)[0],
    ),
)


@cache
def _best_product_energy() -> float:
    """The lowest energy per product state in which all qubits are alike, at h = 1."""
    found = minimize_scalar(
        lambda a: -(_QUBITS - 1) * math.cos(a) ** 2 - _QUBITS * math.sin(a),
        bounds=(0, math.pi / 2),
        method="bounded",
    )
    return float(found.fun)


def _energy(state: NDArray[np.complex128]) -> float:
    """⟨H⟩ at h = 1, qubit by qubit on the state as an array of n axes, qubit 0 last."""
    table = state.reshape((2,) * _QUBITS)
    weights = np.abs(table) ** 2
    signs = np.array([1.0, -1.0])
    total = 0.0
    for axis in range(_QUBITS):
        total -= float(np.vdot(table, np.flip(table, axis)).real)
        if axis + 1 < _QUBITS:
            rest = tuple(k for k in range(_QUBITS) if k not in (axis, axis + 1))
            total -= float(signs @ weights.sum(axis=rest) @ signs)
    return total


@exercise
def check_ansatz(circuit: object) -> str:
    """Check a circuit that entangles across a cut, and whose energy no product state reaches.

    Args:
        circuit: Bound, on 12 qubits, whose plan for fragments of 6 qubits has a sampling overhead
            of at most 81, that is two CX.
    """
    given = bound_circuit(circuit, _QUBITS)
    state = state_of(given)
    try:
        plan = plan_cuts(given.remove_final_measurements(inplace=False), _WIDTH)
    except CircuitError as error:
        raise NotRight(f"Your circuit cannot be cut: {str(error).rstrip('.')}.") from error
    energy, overhead = _energy(state), 2**plan.log2_overhead
    if overhead > _MOST_OVERHEAD * (1 + 1e-6):
        raise NotRight(
            f"Fragments of {_WIDTH} qubits cost a sampling overhead of {overhead:,.0f}, and at "
            f"most {_MOST_OVERHEAD:.0f} is allowed. How often does a gate reach across the middle?"
        )
    if energy > _best_product_energy() + 1e-9:
        kind = "" if plan.num_cuts else " Nothing joins the halves, either."
        raise NotRight(
            f"The energy is {energy:.3f}. States without any entanglement reach "
            f"{_best_product_energy():.3f}; yours has to be lower.{kind}"
        )
    if plan.num_cuts == 0:
        raise NotRight(
            f"An energy of {energy:.3f} is low, but no cut is needed: nothing joins the two "
            "halves. Couple qubits 5 and 6 as well."
        )
    share = (energy - _best_product_energy()) / (critical_energy(_QUBITS) - _best_product_energy())
    return (
        f"an energy of {energy:.4f} with an overhead of {overhead:.1f}: {100 * share:.0f} % of "
        f"the way from the best product state to the ground state, {critical_energy(_QUBITS):.4f}."
    )
