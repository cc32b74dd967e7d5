"""What uncut runs by other methods than state vectors amount to: counts for the coefficients.

Mirrors `workload.uncut.simulate` and what it calls. Arithmetic on plain data only; it must
not know circuits or sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.model.belief import Z80
from qdreamer_lab.dreamer.model.coefficients import Counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ChainShape", "CliffordShape", "chain_counts", "clifford_counts", "likely_counts"]

_MOST = 2.5


@dataclass(frozen=True, slots=True)
class ChainShape:
    """A matrix product state as far as its cost goes.

    Attributes:
        blocks: Two-qubit blocks, and one-qubit gates that no block took.
        splits: Singular value decompositions, one per block and per swap of neighbours.
        entries: Elements of all matrices decomposed.
        svd: Σ x y min(x, y) for x by y matrices.
        strings: Pauli strings of all of them.
        letters: Pauli matrices of all of them.
        sites: That all Pauli strings span together.
        site_products: Multiply-adds there.
    """

    blocks: int
    splits: int
    entries: float
    svd: float
    strings: int
    letters: int
    sites: int
    site_products: float


def chain_counts(shape: ChainShape) -> NDArray[np.float64]:
    """All of `run_matrix_product_state`."""
    counts = Counts()
    counts.add("chain", 1)
    counts.add("chain_block", shape.blocks)
    counts.add("chain_split", shape.splits)
    counts.add("chain_entry", shape.entries)
    counts.add("chain_svd", shape.svd)
    counts.add("chain_string", shape.strings)
    counts.add("chain_letter", shape.letters)
    counts.add("chain_site", shape.sites)
    counts.add("chain_site_product", shape.site_products)
    return counts.array


def likely_counts(
    low: ChainShape, high: ChainShape, values_ns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """What is to be expected between two guesses of the bond dimensions.

    Args:
        low: Bonds as entropies have them, which the truncation of small coefficients approaches.
        high: Bonds as ranks bound them.
        values_ns: The coefficients.

    Returns:
        Counts half way between, in logarithms, and the standard deviation of the logarithm of
        their time: an 80 % interval is as wide as the two guesses are apart.
    """
    fewest, most = chain_counts(low), chain_counts(high)
    apart = math.log(float(most @ values_ns) / float(fewest @ values_ns))
    return np.sqrt(fewest * most), min(_MOST, max(0.0, apart) / 2 / Z80)


@dataclass(frozen=True, slots=True)
class CliffordShape:
    """A circuit of Clifford gates as far as its cost goes.

    Attributes:
        num_qubits: Qubits in use.
        blocks: Gates.
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
