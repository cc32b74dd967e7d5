"""Kernel that decides which fragments may tell others what they measured.

None may wait for itself. It sees pairs of fragments in the order in which they are to be served;
what a pair saves is told in `kernels/cost/shared_cuts.py`.
"""

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@kernel
def peel(tail: Ints, head: Ints, left: Bools) -> None:
    """Take out of `left` (K,), in place, what no pair leads to from what is left, again and again.

    Args:
        tail: (p,) Fragment that each pair leads from.
        head: (p,) Fragment that it leads to.
        left: (K,) Which fragments count.
    """
    num = left.shape[0]
    start, into = np.zeros(num + 1, np.int64), np.zeros(num, np.int64)
    for k in range(tail.shape[0]):
        if left[tail[k]] and left[head[k]]:
            start[tail[k] + 1] += 1
            into[head[k]] += 1
    start = np.cumsum(start)
    fill, out = start[:num].copy(), np.empty(start[num], np.int64)
    for k in range(tail.shape[0]):
        if left[tail[k]] and left[head[k]]:
            out[fill[tail[k]]] = head[k]
            fill[tail[k]] += 1
    stack, top = np.empty(num, np.int64), 0
    for f in range(num):
        if left[f] and into[f] == 0:
            stack[top] = f
            top += 1
    while top > 0:
        top -= 1
        f = stack[top]
        left[f] = False
        for k in range(start[f], start[f + 1]):
            into[out[k]] -= 1
            if into[out[k]] == 0:
                stack[top] = out[k]
                top += 1


@kernel
def without_waiting(tail: Ints, head: Ints, num: int) -> Bools:
    """Choose pairs one by one, each unless it closes a loop with those chosen before.

    A loop can only close between fragments that lie on one, or between two, if all pairs are
    chosen. Mostly there are few of these, however many fragments there are.

    Args:
        tail: (p,) Fragment that runs first, of each pair.
        head: (p,) Another fragment, which runs after it.
        num: Number of fragments K.

    Returns:
        (p,) Whether each pair is chosen.
    """
    left = np.ones(num, np.bool_)
    peel(tail, head, left)
    peel(head, tail, left)
    place = np.cumsum(left) - 1
    size = int(place[num - 1]) + 1 if num > 0 else 0
    # Bit t & 63 of word t >> 6 of row f: whether fragment f runs before fragment t, or is it.
    words = (size + 63) >> 6
    before = np.zeros((size, words), np.int64)
    for f in range(size):
        before[f, f >> 6] = np.int64(1) << (f & 63)
    chosen = np.ones(tail.shape[0], np.bool_)
    for k in range(tail.shape[0]):
        if not (left[tail[k]] and left[head[k]]):
            continue
        here, there = place[tail[k]], place[head[k]]
        if (before[there, here >> 6] >> (here & 63)) & 1:
            chosen[k] = False
            continue
        if (before[here, there >> 6] >> (there & 63)) & 1:
            continue
        for f in range(size):
            if (before[f, here >> 6] >> (here & 63)) & 1:
                for w in range(words):
                    before[f, w] |= before[there, w]
    return chosen
