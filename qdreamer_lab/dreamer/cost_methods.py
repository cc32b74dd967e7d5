"""What uncut runs by other methods than state vectors amount to: counts for the coefficients.

Mirrors `workload.matrix_product` and `workload.clifford`. Arithmetic on plain data only; it must
not know circuits or sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.cost import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ChainShape", "CliffordShape", "bound_counts", "chain_counts", "clifford_counts"]

_SURE = 0.15
"""Deviation of the logarithm of a matrix product state's time if its bonds are as bounded."""

_LOOSE = 0.35
"""What a factor of e in work adds to that, where the bounds may be loose by this factor."""

_MOST = 1.5


@dataclass(frozen=True, slots=True)
class ChainShape:
    """A matrix product state as far as its cost goes.

    Attributes:
        blocks: two-qubit blocks, and one-qubit gates that no block took.
        splits: singular value decompositions, one per block and per swap of neighbours.
        entries: elements of all matrices decomposed.
        svd: Σ x y min(x, y) for x by y matrices.
        observables: operators evaluated.
        strings: Pauli strings of all of them.
        sites: that all Pauli strings span together.
        site_products: multiply-adds there.
        svd_strong: `svd` if only gates counted that entangle much: the bounds are that loose.
        num_bytes: most memory at once.
    """

    blocks: int
    splits: int
    entries: float
    svd: float
    observables: int
    strings: int
    sites: int
    site_products: float
    svd_strong: float
    num_bytes: float

    @property
    def doubt(self) -> float:
        """Standard deviation of the logarithm of what depends on bond dimensions."""
        loose = math.log(max(1.0, self.svd / max(1.0, self.svd_strong)))
        return min(_MOST, _SURE + _LOOSE * loose)


def chain_counts(shape: ChainShape) -> NDArray[np.float64]:
    """All of `run_product_state`."""
    counts = Counts()
    counts.add("chain", 1)
    counts.add("chain_block", shape.blocks)
    counts.add("chain_split", shape.splits)
    counts.add("chain_observable", shape.observables)
    counts.add("chain_string", shape.strings)
    counts.add("chain_site", shape.sites)
    return counts.array + bound_counts(shape)


def bound_counts(shape: ChainShape) -> NDArray[np.float64]:
    """The part of it that rests on bounds of bond dimensions."""
    counts = Counts()
    counts.add("chain_entry", shape.entries)
    counts.add("chain_svd", shape.svd)
    counts.add("chain_site_product", shape.site_products)
    return counts.array


@dataclass(frozen=True, slots=True)
class CliffordShape:
    """A circuit of Clifford gates as far as its cost goes.

    Attributes:
        num_qubits: qubits in use.
        blocks: gates.
        strings: Pauli strings.
    """

    num_qubits: int
    blocks: int
    strings: int

    @property
    def num_bytes(self) -> int:
        """Memory: a letter per qubit and string, twice, and the tables of the gates."""
        return 3 * self.num_qubits * self.strings + (64 + 256 + 32) * self.blocks


def clifford_counts(shape: CliffordShape) -> NDArray[np.float64]:
    """All of the task of `stabilizer_task`."""
    counts = Counts()
    counts.add("clifford", 1)
    counts.add("clifford_block", shape.blocks)
    counts.add("clifford_string", float(shape.blocks) * shape.strings)
    counts.add("clifford_letter", float(shape.num_qubits) * shape.strings)
    return counts.array
