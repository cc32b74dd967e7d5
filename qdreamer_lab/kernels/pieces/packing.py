"""Kernel that puts fragments together until there are few enough of them."""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]


@kernel
def pack(width: Ints, max_width: int) -> tuple[Ints, int]:
    """Put fragments into as few bins of `max_width` as first-fit decreasing finds.

    Args:
        width: (K,) Qubits of each fragment.
        max_width: Qubits a bin may hold.

    Returns:
        The bin of each fragment (K,) and the number of bins.
    """
    order = np.argsort(-width, kind="mergesort")
    bins = np.zeros(width.shape[0], np.int64)
    load = np.zeros(width.shape[0], np.int64)
    used = 0
    for f in order:
        chosen = used
        for b in range(used):
            if load[b] + width[f] <= max_width:
                chosen = b
                break
        if chosen == used:
            used += 1
        bins[f] = chosen
        load[chosen] += width[f]
    return bins, used
