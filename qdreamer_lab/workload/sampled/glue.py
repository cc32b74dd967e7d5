"""A cut as glue for sampled mode: what each side can run, and how the two sides' numbers combine.

A cut is a sum over choices, U = Σ_s u_s A_s ⊗ B_s. With ψ_s a side's state under choice s, all that
a side contributes is its Gram matrix Γ_st = ⟨ψ_t|O|ψ_s⟩, Hermitian, so r² real coordinates, and

    value = Σ_st u_s u_t* Γ_st Γ'_st.

An operation that can run on a device (a unitary, a measurement, a preparation) leads to the state
Σ_s κ_os ψ_s for each outcome o, so its mean is a real linear function of the coordinates. Enough
operations determine all of them, and the *dual* is the inverse map. One decomposition thus serves
gates of any rank, parallel rotations taken together, and wires; see ARCHITECTURE.md. This module
must not know circuits or plans.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Glue", "Operation", "Side", "gate_glue", "joint_glue", "settled_glue", "wire_glue"]

_ROUNDING = 1e-13
"""Numbers this much smaller than the largest are zero but for rounding."""


@dataclass(frozen=True, eq=False, slots=True)
class Operation:
    """Something that one side can do at a cut.

    Attributes:
        name: For people, such as "Z" or "measure ZI".
        kraus: (outcomes, r) complex128; after outcome o the state is Σ_s kraus[o, s] ψ_s.
    """

    name: str
    kraus: NDArray[np.complex128]


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """All that one side of a cut runs.

    Attributes:
        operations: What it can do; each variant of a fragment does one of them.
        dual: (r², columns) float64, columns counting the outcomes of all operations in turn:
            coordinates = dual @ means.
        starts: The first column of each operation, and the number of columns at the end.
        weights: (operations,) float64; how much each matters before anything is known of the
            values, largest 1.
    """

    operations: tuple[Operation, ...]
    dual: NDArray[np.float64]
    starts: tuple[int, ...]
    weights: NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Glue:
    """A cut, or several taken together.

    Attributes:
        sides: First and second: low and high qubit of a gate, before and after for a wire.
        matrix: (r², r²) float64: value = coordinates of the first @ matrix @ those of the second.
    """

    sides: tuple[Side, Side]
    matrix: NDArray[np.float64]


def gate_glue(coefficients: NDArray[np.complex128], commute: NDArray[np.bool_]) -> Glue:
    """Glue for a gate Σ_s u_s A_s ⊗ B_s of unitaries.

    A single-axis gate is cut with a measurement and three rotations about its axis, by 0, 120 and
    240 degrees: as good on average as the usual set of five (identity, flip, two quarter turns,
    measurement), with fewer circuits. Other gates run every A_s, and for each pair of them the
    measurement and the two quarter turns of Mitarai and Fujii (arXiv:1909.07534).

    Args:
        coefficients: (r,) complex, the u_s.
        commute: (r, r); whether A_s† A_t is Hermitian (and so a measurable Pauli) or
            anti-Hermitian.
    """
    operations = _axis_operations(commute) if len(coefficients) == 2 else _operations(commute)
    size = np.abs(coefficients)
    side = _side(operations, _glue_matrix(coefficients), size)
    return Glue((side, side), _glue_matrix(coefficients))


def wire_glue() -> Glue:
    """Glue for a wire: measure in three bases before the cut, prepare six states after it."""
    root = math.sqrt(0.5)
    bases: dict[str, list[list[complex]]] = {
        "Z": [[1, 0], [0, 1]],
        "X": [[root, root], [root, -root]],
        "Y": [[root, 1j * root], [root, -1j * root]],
    }
    up = [Operation(f"measure {k}", np.conj(np.array(v))) for k, v in bases.items()]
    down = [
        Operation(f"prepare {k}{sign}", np.array(v[o : o + 1], dtype=np.complex128))
        for k, v in bases.items()
        for o, sign in enumerate("+-")
    ]
    matrix = _glue_matrix(np.ones(2, dtype=np.complex128))
    size = np.full(2, root)
    return Glue((_side(up, matrix, size), _side(down, matrix, size)), matrix)


def joint_glue(parts: list[NDArray[np.complex128]]) -> Glue:
    """Glue for parallel single-axis gates between the same two fragments, cut together.

    Their product is again a sum of commuting Pauli products, 2^n of them, so the same construction
    applies, at gamma = 2 Π(1 + |sin θ|) - 1 instead of Π(1 + 2|sin θ|) (Ufrecht et al.,
    arXiv:2312.09679; Schmitt, Piveteau and Sutter, arXiv:2312.11638).

    Args:
        parts: The two coefficients of each gate.
    """
    product: NDArray[np.complex128] = np.ones(1, dtype=np.complex128)
    for part in parts:
        product = np.asarray(np.kron(product, part), dtype=np.complex128)
    return gate_glue(product, np.ones((len(product), len(product)), dtype=bool))


def settled_glue(
    coefficients: NDArray[np.complex128], commute: NDArray[np.bool_], end: int
) -> Glue:
    """Glue for a gate u₀ A₀ ⊗ B₀ + u₁ A₁ ⊗ B₁ of which one side's axis commutes with all it reads.

    With Q = c A₁ A₀† Hermitian, and O Q = Q O, that side's coordinates are Γ₀₀ = Γ₁₁ = m₊ + m₋ and
    Γ₀₁ = c (m₊ - m₋), where m± are the means of O after measuring Q. The other side gets what the
    gate is where Q is ±1: value = m₊ t₊ + m₋ t₋, a measurement and feed-forward that is done
    afterwards, with gamma = 1.

    Args:
        coefficients: (2,) complex, the u_s.
        commute: (2, 2); as for `gate_glue`.
        end: Which side is measured, 0 or 1.
    """
    measure, _ = _pair(2, 0, 1, bool(commute[0, 1]))
    phase = 1.0 if commute[0, 1] else 1j
    matrix = _glue_matrix(coefficients)
    seen = np.array(
        [[1, 1], [1, 1], [phase.real, -phase.real], [phase.imag, -phase.imag]], dtype=np.float64
    )
    kraus = [coefficients[0], np.conj(phase) * coefficients[1]]
    turns = [
        Operation(f"turn {name}", np.array([[kraus[0], sign * kraus[1]]], dtype=np.complex128))
        for sign, name in ((1, "+"), (-1, "-"))
    ]
    facing = seen.T @ (matrix if end == 0 else matrix.T)  # what it meets of the other side
    dual = np.asarray(np.linalg.pinv(facing), dtype=np.float64)
    dual[np.abs(dual) < _ROUNDING * np.abs(dual).max()] = 0.0
    sides = [
        Side((measure,), seen, (0, 2), np.ones(1)),
        Side(tuple(turns), dual, (0, 1, 2), np.ones(2)),
    ]
    return Glue((sides[end], sides[1 - end]), matrix)


def _axis_operations(commute: NDArray[np.bool_]) -> list[Operation]:
    measure, turn = _pair(2, 0, 1, bool(commute[0, 1]))
    phase = turn[0].kraus[0, 1] / turn[0].kraus[0, 0]
    turns = []
    for degrees in (0, 120, 240):
        half = math.radians(degrees) / 2
        kraus = np.array([[math.cos(half), phase * math.sin(half)]], dtype=np.complex128)
        turns.append(Operation(f"turn {degrees}", kraus))
    return [*turns, measure]


def _operations(commute: NDArray[np.bool_]) -> list[Operation]:
    count = len(commute)
    found = [Operation(f"{s}", row[None]) for s, row in enumerate(np.eye(count, dtype=complex))]
    for s in range(count):
        for t in range(s + 1, count):
            measure, turns = _pair(count, s, t, bool(commute[s, t]))
            found += [measure, *turns]
    return found


def _pair(count: int, s: int, t: int, commute: bool) -> tuple[Operation, list[Operation]]:
    """The measurement and the quarter turns made of two terms.

    (A_s ± c A_t)/2 are the two outcomes of measuring c A_s† A_t when that is Hermitian, followed by
    A_s; (A_s ± i c A_t)/√2 are then quarter turns about it.
    """
    phase = 1 if commute else 1j
    measure = np.zeros((2, count), dtype=np.complex128)
    measure[:, s] = 0.5
    measure[:, t] = 0.5 * phase, -0.5 * phase
    turns = []
    for sign, name in ((1, "+"), (-1, "-")):
        kraus = np.zeros((1, count), dtype=np.complex128)
        kraus[0, s] = math.sqrt(0.5)
        kraus[0, t] = 1j * sign * phase * math.sqrt(0.5)
        turns.append(Operation(f"turn {s},{t}{name}", kraus))
    return Operation(f"measure {s},{t}", measure), turns


def _side(
    operations: list[Operation], matrix: NDArray[np.float64], size: NDArray[np.float64]
) -> Side:
    """Find the dual by least squares, each operation counting as much as its terms do."""
    means = np.concatenate([_means(operation.kraus) for operation in operations])
    counts = [len(operation.kraus) for operation in operations]
    trust = np.repeat([max(1e-3, _trust(o.kraus, size)) for o in operations], counts)
    weighted = means.T * trust
    dual = np.linalg.solve(weighted @ means, weighted)
    dual[np.abs(dual) < _ROUNDING * np.abs(dual).max()] = 0.0
    columns = np.square(dual.T @ matrix).sum(axis=1)
    starts = [0, *np.cumsum(counts).tolist()]
    weights = np.sqrt(np.add.reduceat(columns, starts[:-1]))
    return Side(tuple(operations), dual, tuple(starts), weights / weights.max())


def _trust(kraus: NDArray[np.complex128], size: NDArray[np.float64]) -> float:
    """Share of the quasi-probability that an operation carries: |u_s||u_t| over its terms."""
    present = np.abs(kraus[0]) > 0
    return float(np.prod(size[present]) ** (2 / np.count_nonzero(present)))


def _means(kraus: NDArray[np.complex128]) -> NDArray[np.float64]:
    """(outcomes, r²): the mean of each outcome as a function of the coordinates.

    Σ_st κ_s κ_t* Γ_st with coordinates Γ_ss, then Re Γ_st and Im Γ_st for each s < t.
    """
    rows, cols = np.triu_indices(kraus.shape[1], 1)
    cross = 2 * kraus[:, rows] * kraus[:, cols].conj()
    return np.concatenate([np.abs(kraus) ** 2, cross.real, -cross.imag], axis=1)


def _glue_matrix(coefficients: NDArray[np.complex128]) -> NDArray[np.float64]:
    """(r², r²): Σ_s |u_s|² Γ_ss Γ'_ss + 2 Σ_{s<t} Re(u_s u_t* Γ_st Γ'_st)."""
    count = len(coefficients)
    rows, cols = np.triu_indices(count, 1)
    cross = 2 * coefficients[rows] * coefficients[cols].conj()
    pairs = len(cross)
    matrix = np.zeros((count * count, count * count))
    diagonal = np.arange(count)
    matrix[diagonal, diagonal] = np.abs(coefficients) ** 2
    real = count + np.arange(pairs)
    imag = real + pairs
    matrix[real, real] = cross.real
    matrix[imag, imag] = -cross.real
    matrix[real, imag] = matrix[imag, real] = -cross.imag
    return matrix
