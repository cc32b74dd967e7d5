"""Kernels that bound the bond dimensions of a matrix product state while gates are applied."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SPLITS, SVD, ENTRIES, BYTES, WIDEST = range(5)
"""Where `bond_bounds` puts what it adds up."""


class Chain(NamedTuple):
    """A chain of n qubits; bond p lies before place p, and bonds 0 and n are its ends.

    Attributes:
        bond: (n + 1,) log2 of each bond's dimension at most.
        crossing: (n + 1,) log2 of the product of the ranks of all gates across each bond.
        weight: (n, n) log2 of the product of the ranks of all gates on two qubits.
        order: (n,) Qubit at each place.
        place: (n,) Place of each qubit.
    """

    bond: Floats
    crossing: Floats
    weight: Floats
    order: Ints
    place: Ints


@kernel
def product_chain(num_qubits: int) -> Chain:
    """Return the chain before any gate, with the qubits in their order."""
    n = num_qubits
    return Chain(np.zeros(n + 1), np.zeros(n + 1), np.zeros((n, n)), np.arange(n), np.arange(n))


@kernel
def swap_across(chain: Chain, at: int) -> None:
    """Exchange the qubits on the two sides of bond `at`, in place, but for the bond itself."""
    _, crossing, weight, order, place = chain
    a, b = order[at - 1], order[at]
    # b joins the left side and a leaves it.
    for k in range(order.shape[0]):
        if k != a and k != b:
            if place[k] < at:
                crossing[at] += weight[a, k] - weight[b, k]
            else:
                crossing[at] += weight[b, k] - weight[a, k]
    order[at - 1], order[at] = b, a
    place[a], place[b] = at, at - 1


@kernel
def site_bytes(left: float, right: float) -> float:
    """Return the bytes of a site between bonds of these log2 dimensions."""
    return float(32.0 * 2.0 ** (left + right))


@kernel
def split_at(chain: Chain, at: int, growth: float, held: float, sums: Floats) -> float:
    """Decompose the two sites at bond `at` anew, and bound the bond, in place.

    Args:
        chain: The chain, with what crosses the bond up to date.
        at: The bond.
        growth: log2 of the rank of the gate that made the decomposition necessary.
        held: Bytes of all sites before.
        sums: (5,) Added to.

    Returns:
        Bytes of all sites after.
    """
    bond = chain.bond
    n = chain.order.shape[0]
    left, middle, right = bond[at - 1], bond[at], bond[at + 1]
    x, y = 2.0 * 2.0**left, 2.0 * 2.0**right
    sums[SPLITS] += 1
    sums[SVD] += x * y * min(x, y)
    sums[ENTRIES] += x * y
    sums[BYTES] = max(sums[BYTES], held + 16.0 * (8 * x * y + 2 * (x * x + y * y)))
    held -= site_bytes(left, middle) + site_bytes(middle, right)
    most = float(min(at, n - at))
    bond[at] = max(0.0, min(most, chain.crossing[at], middle + growth, left + 1.0, right + 1.0))
    sums[WIDEST] = max(sums[WIDEST], bond[at])
    return held + (site_bytes(left, bond[at]) + site_bytes(bond[at], right))


@kernel
def bond_bounds(
    num_qubits: int, pairs: Ints, log2_ranks: Floats, splits_most: float
) -> tuple[Floats, Ints, Floats]:
    """Apply gates to a chain of qubits, moving qubits of distant gates next to each other.

    The right qubit moves to the left one and stays there, as in the simulator itself. The
    number of Schmidt coefficients across a bond is at most 2^(qubits on the smaller side), at most
    the product of the operator-Schmidt ranks of all gates so far between its two sides, and at most
    twice that of a neighbouring bond.

    Args:
        num_qubits: n, at least 1.
        pairs: (m, 2) Qubits of each gate, in order.
        log2_ranks: (m,) log2 of each gate's operator-Schmidt rank.
        splits_most: Stop when work for decompositions goes beyond that.

    Returns:
        (n + 1,) log2 of the bonds in the end, with the ends of the chain; (n,) the qubit at each
        place; and sums: decompositions, their work Σ x y min(x, y) for x by y matrices,
        their elements, most bytes at once, and log2 of the greatest bond. NaN
        for the bytes means that it stopped.
    """
    chain = product_chain(num_qubits)
    sums = np.zeros(5)
    held = 32.0 * num_qubits
    sums[BYTES] = held
    for gate in range(pairs.shape[0]):
        a, b, rank = pairs[gate, 0], pairs[gate, 1], log2_ranks[gate]
        low, high = min(chain.place[a], chain.place[b]), max(chain.place[a], chain.place[b])
        for at in range(high, low, -1):
            growth = 2.0
            if at > low + 1:
                swap_across(chain, at)
            else:
                growth = rank
                chain.weight[a, b] += rank
                chain.weight[b, a] += rank
                chain.crossing[at] += rank
            held = split_at(chain, at, growth, held, sums)
            if sums[SVD] > splits_most:
                sums[BYTES] = np.nan
                return chain.bond, chain.order, sums
    # Reading off strings takes a matrix for each bond, at most, and room for one site.
    widest = 2.0 ** sums[WIDEST]
    sums[BYTES] = max(sums[BYTES], 1.5 * held + 16.0 * 6 * widest * widest)
    return chain.bond, chain.order, sums
