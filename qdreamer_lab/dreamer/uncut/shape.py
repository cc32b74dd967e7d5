"""From uncut circuits to shapes: the plain numbers that the cost model takes.

Nothing runs here, and nothing is priced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.uncut.cost import ChainShape, CliffordShape
from qdreamer_lab.workload.uncut.bond_dimensions import string_work

if TYPE_CHECKING:
    from qdreamer_lab.workload.uncut.bond_dimensions import Chain
    from qdreamer_lab.workload.uncut.circuit import UncutCircuit

__all__ = ["chain_shape", "clifford_shape"]


def chain_shape(whole: UncutCircuit, chain: Chain) -> ChainShape:
    """A matrix product state's plain numbers."""
    row = whole.row
    strings = [string for terms in whole.sums for _, string in terms if string]
    sites, products = string_work(chain, strings)
    return ChainShape(
        blocks=len(row.pairs) + len(row.lone),
        splits=chain.splits,
        entries=chain.entries,
        svd=chain.svd,
        strings=len(strings),
        letters=sum(len(string) for string in strings),
        sites=sites,
        site_products=products,
    )


def clifford_shape(whole: UncutCircuit) -> CliffordShape:
    """A Clifford circuit's plain numbers."""
    row = whole.row
    return CliffordShape(row.num_qubits, len(row.pairs) + len(row.lone), len(whole.strings))
