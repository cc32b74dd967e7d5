"""Checkers of the third notebook."""

import numpy as np
from scipy.linalg import expm

from qdreamer_lab.course import cx_cut
from qdreamer_lab.course.cx_cut import check_gamma, check_products, check_value
from qdreamer_lab.workload.circuit.schmidt import gate_cut_gamma
from tests.course.judging import judge

ID, X, Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.diag([1, -1])
P0, P1 = np.diag([1, 0]), np.diag([0, 1])


def test_products():
    half = np.exp(0.7j) / np.sqrt(2)
    quarter = np.diag(np.exp([-0.25j * np.pi, 0.25j * np.pi]))  # RZ(π/2)
    judge(
        check_products,
        [
            [(P0, ID), (P1, Z)],
            [(ID, P0), (Z, P1)],
            # exp(iπ/4 ZZ) between quarter turns, with a phase of its own
            [(half * quarter, quarter), (1j * half * Z @ quarter, Z @ quarter)],
            ((P0.tolist(), [[1, 0], [0, 1]]), (P1.tolist(), [[1, 0], [0, -1]])),
        ],
        [
            ([(P0, ID), (P1, X)], "The sum is CX"),
            ([(ID, Z)], "A single product"),
            ([(ID, ID), (Z, Z)], "not unitary"),
            ([(P0, P0), (P0, P1), (P1, Z)], "two are enough"),
            ([(np.kron(P0, ID), np.kron(P1, Z)), (ID, ID)], "both are 2×2"),
            ([(P0, ID), (P1, ID)], "on each qubit by itself"),
            ([(P0, Z), (P1, ID)], "entangles, but not CZ"),
            ([(P0, ID, P1)], "has 3 parts"),
            (3, "this is int"),
            ([], "empty"),
            ([("ID", "Z")], "not a matrix"),
        ],
    )


def einsum(a, b, p, q):
    one = np.einsum("ki,ij,lj->kl", a.conj(), p, a)
    other = np.einsum("ki,ij,lj->kl", b.conj(), q, b)
    return (one * other).sum()


def loops(a, b, p, q):
    return sum(
        (a[k].conj() @ p @ a[m]) * (b[k].conj() @ q @ b[m])
        for k in range(len(a))
        for m in range(len(a))
    ).real


def dense(a, b, p, q):
    table = a.T @ b
    return np.einsum("ij,ik,jl,kl->", table.conj(), p, q, table).real


def test_values():
    judge(
        check_value,
        [einsum, loops, dense],
        [
            (
                lambda a, b, p, q: sum(
                    (x.conj() @ p @ x) * (y.conj() @ q @ y) for x, y in zip(a, b, strict=True)
                ),
                "interfere",
            ),
            (
                lambda a, b, p, q: (a.conj() @ p @ a.T).sum() * (b.conj() @ q @ b.T).sum(),
                "multiply first",
            ),
            (lambda a, b, p, q: ((a @ p @ a.T) * (b @ q @ b.T)).sum(), "conjugate"),
            (
                lambda a, b, p, q: np.trace((a.conj() @ p @ a.T) @ (b.conj() @ q @ b.T)),
                "element by element",
            ),
            (lambda a, b, p, q: 2 * loops(a, b, p, q), "twice"),
            (lambda a, b, p, q: a @ p @ a.T, "not one number"),
            (lambda a, b, p, q: a.dagger() @ p @ a, "stops with AttributeError"),
            (0.3, "A function is wanted"),
        ],
        placeholders=(None, ..., lambda a, b, p, q: ...),
    )


def test_gammas():
    def from_matrix(angle):
        return float(gate_cut_gamma(expm(-0.5j * angle * np.kron(Z, Z))[None])[0])

    judge(
        check_gamma,
        [
            lambda angle: 1 + 2 * abs(np.sin(angle)),
            lambda angle: 1 + 4 * abs(np.sin(angle / 2) * np.cos(angle / 2)),
            from_matrix,
        ],
        [
            (lambda angle: 1 + 2 * np.sin(angle), "take |sin θ|"),
            (lambda angle: (1 + 2 * abs(np.sin(angle))) ** 2, "factor on shots"),
            (lambda _: 3, "costs nothing"),
            (lambda angle: 1 + 2 * abs(np.sin(angle / 2)), "Z ⊗ Z"),
            (lambda angle: 1 + abs(np.sin(angle)), "you get 2"),
            (lambda angle: abs(np.sin(angle)), "it should be"),
            (3.0, "A function is wanted"),
        ],
    )


def test_the_oracle_of_gamma_is_the_projects():
    for angle in np.linspace(-4, 4, 17):
        gate = expm(-0.5j * angle * np.kron(Z, Z))
        np.testing.assert_allclose(cx_cut._dense_gamma(angle), gate_cut_gamma(gate[None])[0])
