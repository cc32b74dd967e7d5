"""Kernel that bounds the bond dimensions of a matrix product state while gates are applied."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SPLITS, SVD, ENTRIES, BYTES, WIDEST = range(5)
"""Where `bond_bounds` puts what it adds up."""


@kernel
def bond_bounds(
    num_qubits: int, pairs: Ints, log2_ranks: Floats, splits_most: float
) -> tuple[Floats, Ints, Floats]:
    """Apply gates to a chain of qubits, moving qubits of distant gates next to each other.

    The right qubit moves to the left one and stays there, as in `workload.product_state`. The
    number of Schmidt coefficients across a bond is at most 2^(qubits on the smaller side), at most
    the product of the operator-Schmidt ranks of all gates so far between its two sides, and at most
    twice that of a neighbouring bond.

    Args:
        num_qubits: n, at least 1.
        pairs: (m, 2) qubits of each gate, in order.
        log2_ranks: (m,) log2 of each gate's operator-Schmidt rank.
        splits_most: stop when work for decompositions goes beyond that.

    Returns:
        (n + 1,) log2 of the bonds in the end, with the ends of the chain; (n,) the qubit at each
        place; and sums: decompositions, their work Σ x y min(x, y) for x by y matrices,
        their elements, most bytes at once, and log2 of the greatest bond. NaN
        for the bytes means that it stopped.
    """
    n = num_qubits
    bond = np.zeros(n + 1)
    crossing = np.zeros(n + 1)
    weight = np.zeros((n, n))
    order = np.arange(n)
    place = np.arange(n)
    sums = np.zeros(5)
    held = 32.0 * n
    sums[BYTES] = held
    for gate in range(pairs.shape[0]):
        one, two = pairs[gate, 0], pairs[gate, 1]
        low, high = place[one], place[two]
        if low > high:
            low, high = high, low
        while True:
            at = high  # the bond between places high - 1 and high
            left, middle, right = bond[at - 1], bond[at], bond[at + 1]
            x, y = 2.0 * 2.0**left, 2.0 * 2.0**right
            sums[SPLITS] += 1
            sums[SVD] += x * y * min(x, y)
            sums[ENTRIES] += x * y
            sums[BYTES] = max(sums[BYTES], held + 16.0 * (8 * x * y + 2 * (x * x + y * y)))
            held -= 32.0 * (2.0 ** (left + middle) + 2.0 ** (middle + right))
            if high == low + 1:
                weight[one, two] += log2_ranks[gate]
                weight[two, one] += log2_ranks[gate]
                crossing[at] += log2_ranks[gate]
                growth = log2_ranks[gate]
            else:
                a, b = order[at - 1], order[at]
                # b joins the left side and a leaves it.
                for k in range(n):
                    if k != a and k != b:
                        if place[k] < at:
                            crossing[at] += weight[a, k] - weight[b, k]
                        else:
                            crossing[at] += weight[b, k] - weight[a, k]
                order[at - 1], order[at] = b, a
                place[a], place[b] = at, at - 1
                growth = 2.0
            most = float(min(at, n - at))
            new = min(most, crossing[at], middle + growth, left + 1.0, right + 1.0)
            bond[at] = max(0.0, new)
            held += 32.0 * (2.0 ** (left + bond[at]) + 2.0 ** (bond[at] + right))
            sums[WIDEST] = max(sums[WIDEST], bond[at])
            if sums[SVD] > splits_most:
                sums[BYTES] = np.nan
                return bond, order, sums
            if high == low + 1:
                break
            high -= 1
    # Reading off strings takes a matrix for each bond, at most, and room for one site.
    widest = 2.0 ** sums[WIDEST]
    sums[BYTES] = max(sums[BYTES], 1.5 * held + 16.0 * 6 * widest * widest)
    return bond, order, sums
