"""How large a matrix product state of a circuit can get, before it is made. Nothing runs here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MethodError
from qdreamer_lab.kernels.simulate.bond_bounds import (
    BYTES,
    ENTRIES,
    SPLITS,
    SVD,
    WIDEST,
    bond_bounds,
)
from qdreamer_lab.workload.circuit.schmidt import rank_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors

__all__ = ["Chain", "chain_of", "log2_entropies", "log2_ranks", "string_work"]

_MOST_QUBITS = 2000
"""Weights between all pairs of qubits take 8 bytes each."""


@dataclass(frozen=True, eq=False, slots=True)
class Chain:
    """Bounds on the matrix product state of a circuit.

    Attributes:
        log2_bonds: (n + 1,) log2 of the bond dimensions in the end, with the chain's ends.
        place: (n,) where each qubit ends up.
        splits: Singular value decompositions, one per block and per swap of neighbours.
        svd: Their work, Σ x y min(x, y) for x by y matrices.
        entries: Elements of these matrices.
        num_bytes: Most memory at once.
        log2_widest: log2 of the greatest bond dimension there ever is.
    """

    log2_bonds: NDArray[np.float64]
    place: NDArray[np.int64]
    splits: int
    svd: float
    entries: float
    num_bytes: float
    log2_widest: float


def chain_of(
    num_qubits: int,
    pairs: NDArray[np.int64],
    log2_ranks: NDArray[np.float64],
    work_most: float = math.inf,
) -> Chain | None:
    """Bounds for blocks on a chain of qubits; None if they go beyond `work_most`.

    Args:
        num_qubits: n, in the order of the chain at first.
        pairs: (m, 2) qubits of each block, in order.
        log2_ranks: (m,) what each block may add to a bond, in powers of two.
        work_most: Most `Chain.svd` that is of interest.

    Raises:
        MethodError: If there are too many qubits.
    """
    if num_qubits > _MOST_QUBITS:
        raise MethodError(
            f"bounds on a matrix product state are kept for at most {_MOST_QUBITS:,} qubits, the "
            f"circuit needs {num_qubits:,}"
        )
    bonds, order, sums = bond_bounds(num_qubits, pairs, log2_ranks, work_most)
    if np.isnan(sums[BYTES]):
        return None
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Chain(
        log2_bonds=bonds,
        place=place,
        splits=int(sums[SPLITS]),
        svd=float(sums[SVD]),
        entries=float(sums[ENTRIES]),
        num_bytes=float(sums[BYTES]),
        log2_widest=float(sums[WIDEST]),
    )


def log2_ranks(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """What blocks add to a bond at most (m,), from operator-Schmidt coefficients (m, 4)."""
    return np.asarray(np.log2(rank_of(coefficients).astype(np.float64)))


def log2_entropies(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """What blocks add to a bond if entanglement is all that counts (m,): bits of entropy.

    A CX has one bit, as much as its rank says; a rotation by a small angle has next to none.
    """
    weight = np.square(coefficients)
    logs = np.log2(weight, where=weight > 0, out=np.zeros_like(weight))
    return np.asarray(-(weight * logs).sum(axis=1))


def string_work(chain: Chain, strings: Iterable[Factors]) -> tuple[int, float]:
    """How much work it is to take expectation values of Pauli strings.

    Returns:
        Sites between the first and the last letter of each string, and multiply-adds there.
    """
    left, right = np.exp2(chain.log2_bonds[:-1]), np.exp2(chain.log2_bonds[1:])
    until = np.concatenate([[0.0], np.cumsum(2 * left * right * (left + right))])
    sites, work = 0, 0.0
    for string in strings:
        places = [int(chain.place[qubit]) for qubit, _ in string]
        if places:
            first, last = min(places), max(places)
            sites += last - first + 1
            work += float(until[last + 1] - until[first])
    return sites, work
