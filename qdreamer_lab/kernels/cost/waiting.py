"""Kernel that decides which fragments may tell others what they measured.

None may wait for itself. It sees pairs of fragments in the order in which they are to be served;
what a pair saves is told in `kernels/cost/shared_cuts.py`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Links(NamedTuple):
    """Chosen pairs by one of their ends, as linked lists.

    Attributes:
        end: (p,) The other end of each pair.
        first: (K,) Pair of each fragment that was chosen last, or -1.
        older: (p,) Pair of the same fragment that was chosen before, or -1.
    """

    end: Ints
    first: Ints
    older: Ints


@kernel
def follow(links: Links, start: int, place: Ints, low: int, high: int, found: Ints) -> int:
    """List in `found` what chosen pairs lead to from `start`, in places `low` to `high`.

    Fragments found are marked in `place` by the complement of their place, until they are told.

    Returns:
        How many were found, `start` among them.
    """
    found[0] = start
    place[start] = ~place[start]
    count, done = 1, 0
    while done < count:
        k = links.first[found[done]]
        done += 1
        while k >= 0:
            f = links.end[k]
            if low <= place[f] <= high:
                place[f] = ~place[f]
                found[count] = f
                count += 1
            k = links.older[k]
    for c in range(count):
        place[found[c]] = ~place[found[c]]
    return count


@kernel
def without_waiting(tail: Ints, head: Ints, num: int) -> Bools:
    """Choose pairs one by one, each unless it closes a loop with those chosen before.

    Fragments are kept in an order in which none runs before what it waits for, and only those
    between the two of a pair that goes backwards in it are looked at. After Pearce and Kelly, "A
    dynamic topological sort algorithm for directed acyclic graphs" (JEA 11, 2006).

    Args:
        tail: (p,) Fragment that runs first, of each pair.
        head: (p,) Another fragment, which runs after it.
        num: Number of fragments K.

    Returns:
        (p,) Whether each pair is chosen.
    """
    place = np.arange(num)
    none = np.full(tail.shape[0], -1, np.int64)
    after = Links(head, np.full(num, -1, np.int64), none)
    before = Links(tail, np.full(num, -1, np.int64), none.copy())
    ahead, behind = np.empty(num, np.int64), np.empty(num, np.int64)
    chosen = np.ones(tail.shape[0], np.bool_)
    for k in range(tail.shape[0]):
        here, there = tail[k], head[k]
        low, high = place[there], place[here]
        if low < high:
            count = follow(after, there, place, low, high, ahead)
            if np.any(ahead[:count] == here):
                chosen[k] = False
                continue
            more = follow(before, here, place, low, high, behind)
            # What runs before `here` takes the first of their places, what runs after `there` the
            # last, each in the order that it had.
            moved = np.concatenate((behind[:more], ahead[:count]))
            free = np.sort(place[moved])
            moved[:more] = moved[:more][np.argsort(place[moved[:more]])]
            moved[more:] = moved[more:][np.argsort(place[moved[more:]])]
            place[moved] = free
        after.older[k], after.first[here] = after.first[here], k
        before.older[k], before.first[there] = before.first[there], k
    return chosen
