"""Kernel that predicts the floating-point work of running a plan exactly, in log2.

Exact mode simulates every fragment once for each choice of local terms at its cuts, forms the Gram
matrix of the results, and contracts all fragments' tensors over the cuts. The unit is one complex
multiply-add.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]


@kernel
def log2_add(a: float, b: float) -> float:
    """Return log2(2^a + 2^b)."""
    if a < b:
        a, b = b, a
    if b == -np.inf:
        return a
    return float(a + np.log2(1.0 + 2.0 ** (b - a)))


@kernel
def log2_work(pairs: Ints, labels: Ints, rank: Ints, num_qubits: int) -> float:
    """Predict the work of a plan; of a partial plan, what its labelled part costs at least.

    Fragment f of width w, with B blocks inside, G ends of cut gates and S = product of the ranks
    of its gate cuts times 2 per wire coming in, takes S 2^w (4 B + 2 G) to simulate and S^2 2^(w +
    wires going out) for its Gram matrix: a wire going out is split, not simulated twice. Fragments
    are then joined one by one in the order of their labels; each join costs the product of the
    squared ranks of all cuts that are open on either side.

    Args:
        pairs: (m, 2) Qubits of each block, in time order.
        labels: (m, 2) Fragment of each endpoint, -1 for endpoints not yet labelled.
        rank: (m,) Operator-Schmidt rank of each block.
        num_qubits: Number of wires.
    """
    m = pairs.shape[0]
    num = labels.max() + 1 if m > 0 else 0
    width = np.zeros(num, np.int64)
    gates = np.zeros(num)
    batch = np.zeros(num)
    out = np.zeros(num)
    # Bits of cuts by the first, and by the last, of the two fragments that they join.
    opens, closes = np.zeros(num), np.zeros(num)
    last = np.full(num_qubits, -1, np.int64)
    for b in range(m):
        f, g = labels[b, 0], labels[b, 1]
        if f >= 0 and g >= 0:
            if f == g:
                gates[f] += 4.0
            else:
                bits = np.log2(rank[b])
                for end in (f, g):
                    gates[end] += 2.0
                    batch[end] += bits
                opens[min(f, g)] += 2.0 * bits
                closes[max(f, g)] += 2.0 * bits
        for side in range(2):
            f, q = labels[b, side], pairs[b, side]
            if f < 0:
                continue
            if last[q] != f:
                width[f] += 1
                if last[q] >= 0:
                    batch[f] += 1.0
                    out[last[q]] += 1.0
                    opens[min(f, last[q])] += 2.0
                    closes[max(f, last[q])] += 2.0
            last[q] = f
    total = -np.inf
    for f in range(num):
        if gates[f] > 0:
            total = log2_add(total, batch[f] + width[f] + np.log2(gates[f]))
        total = log2_add(total, 2.0 * batch[f] + width[f] + out[f])
    bits = opens[0] if num > 0 else 0.0
    for f in range(1, num):
        # Open while f joins 0..f-1: every cut of those among themselves is already summed.
        bits += opens[f] - closes[f - 1]
        total = log2_add(total, bits)
    return float(total)
