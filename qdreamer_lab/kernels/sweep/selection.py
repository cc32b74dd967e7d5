"""Kernel that finds the value at a place of a sorted array, without sorting it.

`np.partition` does it, too, but numba then compiles all that checks its arguments: seven seconds.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel


@kernel
def value_at(values: NDArray[np.float64], place: int) -> float:
    """Return what would be at `place` if the values (k,), which are left as they are, were sorted.

    Hoare's selection (Algorithm 65, 1961): split around the median of three, go on in the part
    that has the place. What equals the median may go to either side, so that ties split evenly.

    Args:
        values: Numbers or infinities, at least one.
        place: From 0 to k - 1.
    """
    left = values.copy()
    low, high = 0, left.shape[0] - 1
    while low < high:
        first, middle, last = left[low], left[(low + high) // 2], left[high]
        median = max(min(first, middle), min(max(first, middle), last))
        i, j = low, high
        while i <= j:
            while left[i] < median:
                i += 1
            while left[j] > median:
                j -= 1
            if i <= j:
                left[i], left[j] = left[j], left[i]
                i += 1
                j -= 1
        if place <= j:
            high = j
        elif place >= i:
            low = i
        else:
            return float(median)
    return float(left[place])
