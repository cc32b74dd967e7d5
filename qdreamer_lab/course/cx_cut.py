"""Exercises of the third notebook: a gate as products, values put together, and what it costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.course.circuits import same_up_to_phase
from qdreamer_lab.course.functions import Mistake, compare
from qdreamer_lab.course.verdict import NotRight, exercise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["check_gamma", "check_products", "check_value"]

_CZ = np.diag([1, 1, 1, -1]).astype(np.complex128)
_CX = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=np.complex128)
_SWAP = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=np.complex128)
_PAULIS = (
    np.eye(2, dtype=np.complex128),
    np.array([[0, 1], [1, 0]], dtype=np.complex128),
    np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    np.diag([1, -1]).astype(np.complex128),
)


@exercise
def check_products(terms: object) -> str:
    """Check a CZ gate written as a sum of products, Σ A ⊗ B, up to a global phase.

    Args:
        terms: Pairs (A, B) of 2×2 matrices.
    """
    pairs = _pairs(terms)
    total = np.zeros((4, 4), dtype=np.complex128)
    for a, b in pairs:
        total += np.kron(a, b)
    if same_up_to_phase(total, _CZ):
        if len(pairs) > 2:
            raise NotRight(
                f"The sum is CZ, but with {len(pairs)} products. Every product is one more run of "
                "each fragment, and two are enough."
            )
        return "two products are CZ. One alone could not be: CZ entangles, and products do not."
    if len(pairs) == 1:
        raise NotRight(
            "A single product acts on each qubit by itself. CZ entangles them, so it takes a sum."
        )
    if not np.allclose(total.conj().T @ total, np.eye(4), atol=1e-6):
        norms = np.linalg.norm(total, axis=0)
        raise NotRight(
            "The sum is not unitary: it makes a vector of length 1 one of length "
            f"{norms[np.abs(norms - 1).argmax()]:.3f}. Is each coefficient right, and what does "
            "the gate do where the first qubit is |0⟩, and where it is |1⟩?"
        )
    if any(same_up_to_phase(total, each) for each in (_CX, _SWAP @ _CX @ _SWAP)):
        raise NotRight("The sum is CX. CZ applies Z, not X, where the control is |1⟩.")
    if _rank(total) == 1:
        raise NotRight(
            "The sum is a gate that acts on each qubit by itself; the terms cancel what entangles."
        )
    row, column = np.unravel_index(np.abs(total - _CZ).argmax(), (4, 4))
    raise NotRight(
        f"The sum is a gate that entangles, but not CZ: in row {row}, column {column} it has "
        f"{total[row, column]:.3g} where CZ has {_CZ[row, column].real:.0f}."
    )


def _pairs(terms: object) -> list[tuple[NDArray[np.complex128], NDArray[np.complex128]]]:
    try:
        pairs = [tuple(pair) for pair in terms]  # type: ignore[attr-defined]
    except TypeError as error:
        raise NotRight(
            f"A list of pairs (A, B) is wanted; this is {type(terms).__name__}."
        ) from error
    found = []
    for k, pair in enumerate(pairs):
        if len(pair) != 2:
            raise NotRight(f"Term {k} has {len(pair)} parts; a pair (A, B) is wanted.")
        try:
            a, b = (np.asarray(each, dtype=np.complex128) for each in pair)
        except (TypeError, ValueError) as error:
            raise NotRight(f"Term {k} holds something that is not a matrix.") from error
        if a.shape != (2, 2) or b.shape != (2, 2):
            raise NotRight(
                f"Term {k} has matrices of shapes {a.shape} and {b.shape}; each acts on one qubit, "
                "so both are 2×2."
            )
        found.append((a, b))
    if not found:
        raise NotRight("The list is empty.")
    return found


def _rank(gate: NDArray[np.complex128]) -> int:
    """The operator-Schmidt rank: how many products a gate takes at least."""
    table = gate.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    return int((np.linalg.svd(table, compute_uv=False) > 1e-6).sum())


@exercise
def check_value(value: object) -> str:
    """Check a function that gets an expectation value from the states of two fragments.

    Args:
        value: Called as value(a, b, P, Q): `a` and `b` (K, d) hold a state of each fragment for
            each of K products, `P` and `Q` (d, d) are Hermitian. The state of the whole is
            Σ_k a_k ⊗ b_k, and wanted is the mean of P ⊗ Q in it, a real number.
    """
    compare(value, _dense_value, _value_cases(), _VALUE_MISTAKES, told=lambda *_: "random states")
    return "it agrees with the dense state of the whole, for states of two, three and four terms."


def _value_cases() -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(18)

    def random(*shape: int) -> NDArray[np.complex128]:
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    cases = []
    for terms, left, right in ((2, 2, 2), (3, 2, 4), (4, 4, 2)):
        a, b, p, q = (
            random(terms, left),
            random(terms, right),
            random(left, left),
            random(right, right),
        )
        length = np.linalg.norm(np.einsum("ki,kj->ij", a, b))
        cases.append((a / length, b, p + p.conj().T, q + q.conj().T))
    return cases


def _dense_value(a: Any, b: Any, p: Any, q: Any) -> float:
    state = sum(np.kron(x, y) for x, y in zip(a, b, strict=True))
    return float(np.vdot(state, np.kron(p, q) @ state).real)


def _grams(a: Any, b: Any, p: Any, q: Any) -> tuple[Any, Any]:
    return a.conj() @ p @ a.T, b.conj() @ q @ b.T


def _diagonal_only(*case: Any) -> Any:
    one, other = _grams(*case)
    return (np.diag(one) * np.diag(other)).sum()


def _product_of_sums(*case: Any) -> Any:
    one, other = _grams(*case)
    return one.sum() * other.sum()


def _matrix_product(*case: Any) -> Any:
    one, other = _grams(*case)
    return np.trace(one @ other)


def _not_conjugated(a: Any, b: Any, p: Any, q: Any) -> Any:
    return ((a @ p @ a.T) * (b @ q @ b.T)).sum()


_VALUE_MISTAKES = (
    Mistake(
        _diagonal_only,
        "You add up only what each product gives by itself, k = l. The products interfere: the "
        "mean of P is ⟨a_k|P|a_l⟩ for every pair of k and l.",
    ),
    Mistake(
        _product_of_sums,
        "You add up each fragment by itself and then multiply. The same k and l belong to both "
        "fragments, so multiply first: Σ_kl ⟨a_k|P|a_l⟩⟨b_k|Q|b_l⟩.",
    ),
    Mistake(
        _matrix_product,
        "You multiply the two matrices as matrices, so that k and l change places on the way. "
        "They are to be multiplied element by element.",
    ),
    Mistake(
        _not_conjugated,
        "The bra ⟨a_k| is the conjugate of a_k, and yours is not conjugated.",
    ),
    Mistake(
        lambda *case: 2 * _dense_value(*case),
        "Your value is twice what it should be: is every pair of k and l counted twice?",
    ),
)


@exercise
def check_gamma(gamma: object) -> str:
    """Check a function of an angle: what a cut of RZZ(θ) costs, γ.

    Args:
        gamma: Called with θ in radians.
    """
    angles = (math.pi / 2, 0.0, 0.3, 1.1, 2.5, math.pi, -0.8, 4.0, -math.pi / 2)
    compare(
        gamma,
        _dense_gamma,
        [(angle,) for angle in angles],
        _GAMMA_MISTAKES,
        told=lambda angle: f"θ = {angle:.4g}",
    )
    return "it agrees with the gate's own matrix: 3 for a CX, and next to nothing for weak gates."


def _dense_gamma(angle: float) -> float:
    """γ = Σ|u_s|² + 2 Σ_{s≠t} |u_s||u_t| of Σ_s u_s P_s ⊗ P_s, with u from the gate's matrix.

    For commuting Paulis on either side this is optimal (Schmitt, Piveteau and Sutter,
    arXiv:2312.11638).
    """
    gate = np.diag(np.exp(-0.5j * angle * np.array([1, -1, -1, 1])))
    u = [abs(np.trace(np.kron(pauli, pauli).conj().T @ gate)) / 4 for pauli in _PAULIS]
    return float(sum(x * x for x in u) + 2 * (sum(u) ** 2 - sum(x * x for x in u)))


_GAMMA_MISTAKES = (
    Mistake(
        lambda angle: 1 + 2 * math.sin(angle),
        "That is right for angles between 0 and π only: at θ = -0.8 you get less than 1, which "
        "would make a cut cheaper than no cut. γ adds up sizes of coefficients, so take |sin θ|.",
    ),
    Mistake(
        lambda angle: (1 + 2 * abs(math.sin(angle))) ** 2,
        "That is the factor on shots, γ². γ itself is its root.",
    ),
    Mistake(
        lambda _: 3.0,
        "3 is right for a CX, that is θ = π/2. A gate that does nothing, θ = 0, costs nothing.",
    ),
    Mistake(
        lambda angle: 1 + 2 * abs(math.sin(angle / 2)),
        "At θ = π the gate is Z ⊗ Z up to a phase, which needs no cut: γ = 1. Yours is dearest "
        "there. How large is the product of sin(θ/2) and cos(θ/2)?",
    ),
    Mistake(
        lambda angle: 1 + abs(math.sin(angle)),
        "At θ = π/2 you get 2, and a CX costs 3. The term between I⊗I and Z⊗Z is made of four "
        "products, each with a coefficient of |sin θ|/2.",
    ),
)
