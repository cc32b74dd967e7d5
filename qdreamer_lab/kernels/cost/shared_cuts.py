"""Kernels for cuts that share one decomposition: which may, and what the shared one costs.

Rotations cut between the same two fragments may share a decomposition when they can run side by
side in each fragment: its local terms act on several qubits of a fragment at one moment. That
holds exactly if every fragment, taken on its own, is still a circuit without a loop after the
members of each group have been drawn together. Nothing is asked of the order between fragments,
because cut fragments run apart.

Sources: Ufrecht et al., arXiv:2312.09679, and Schmitt, Piveteau and Sutter, arXiv:2312.11638, for
rotations; Brenner, Piveteau and Sutter, arXiv:2302.03366, for wires.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qdreamer_lab.kernels.cost.waiting import without_waiting
from qdreamer_lab.kernels.jit import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Cuts that share a decomposition at most: the number of its terms grows as 4^n.
MAX_GROUP = 8

#: Groups that a cut tries to join before it opens one of its own.
TRIES = 8


class Groups(NamedTuple):
    """Groups of cut blocks, numbered from 0; the members of each are a linked list.

    Attributes:
        of: (m,) Group of each block, -1 for blocks in none.
        first: (m,) Member of each group that joined last, or -1.
        next: (m,) Member that joined before each block, or -1.
    """

    of: Ints
    first: Ints
    next: Ints


class Walk(NamedTuple):
    """Room to walk along the wires of a fragment.

    Attributes:
        following: (m, 2) See `next_in_run`.
        stack: (m,) Blocks to go on from.
        visited: (m,) Number of the walk that came to each block last.
    """

    following: Ints
    stack: Ints
    visited: Ints


@kernel
def next_in_run(pairs: Ints, labels: Ints, num_qubits: int) -> Ints:
    """Find the block that follows each endpoint on its wire inside its fragment, or -1.

    Args:
        pairs: (m, 2) Qubits of each block.
        labels: (m, 2) Fragment of each endpoint.
        num_qubits: Number of wires.
    """
    m = pairs.shape[0]
    following = np.full((m, 2), -1, np.int64)
    last = np.full(num_qubits, -1, np.int64)
    for b in range(m):
        for side in range(2):
            q = pairs[b, side]
            e = last[q]
            if e >= 0 and labels[e // 2, e % 2] == labels[b, side]:
                following[e // 2, e % 2] = b
            last[q] = 2 * b + side
    return following


@kernel
def leads_to(
    group: int, block: int, fragment: int, labels: Ints, groups: Groups, walk: Walk, number: int
) -> bool:
    """Whether `block` must wait for some member of `group` inside `fragment`; `number` is new.

    Only blocks before `block` are in groups, so nothing after it can lead back to it.
    """
    group_of, first_member, next_member = groups
    following, stack, visited = walk
    top = 0
    b = first_member[group]
    while b >= 0:
        visited[b] = number
        stack[top] = b
        top += 1
        b = next_member[b]
    while top > 0:
        top -= 1
        here = stack[top]
        for side in range(2):
            if labels[here, side] != fragment:
                continue
            there = following[here, side]
            if there == block:
                return True
            if there < 0 or there > block or visited[there] == number:
                continue
            other = first_member[group_of[there]] if group_of[there] >= 0 else there
            while other >= 0:
                if visited[other] != number:
                    visited[other] = number
                    stack[top] = other
                    top += 1
                other = next_member[other]
    return False


@kernel
def fragments_joined(labels: Ints) -> tuple[Ints, int]:
    """Number the pairs of fragments that cut blocks are between.

    Args:
        labels: (m, 2) Fragment of each endpoint.

    Returns:
        (m,) Number of the pair of each block, -1 for blocks that are not cut; and how many there
        are.
    """
    m = labels.shape[0]
    num = labels.max() + 1 if m > 0 else 0
    low, high = np.minimum(labels[:, 0], labels[:, 1]), np.maximum(labels[:, 0], labels[:, 1])
    cut = np.flatnonzero(low != high)
    key = low[cut] * num + high[cut]
    between, count = np.full(m, -1, np.int64), 0
    last = np.int64(-1)
    for k in np.argsort(key):
        if key[k] != last:
            last = key[k]
            count += 1
        between[cut[k]] = count - 1
    return between, count


@kernel
def group_cuts(pairs: Ints, labels: Ints, sine: Floats, num_qubits: int) -> Ints:
    """Let each cut rotation join the earliest group that it can, in time order.

    Only the last `TRIES` groups that are between the same two fragments and have room are tried.

    Args:
        pairs: (m, 2) Qubits of each block, in time order.
        labels: (m, 2) Fragment of each endpoint.
        sine: (m,) |sin theta| of rotations about one axis, NaN for other blocks.
        num_qubits: Number of wires.

    Returns:
        (m,) group of each cut block, counted from 0 (a lone cut is a group of one); -1 for
        blocks that are not cut.
    """
    m = pairs.shape[0]
    none = np.full(m, -1, np.int64)
    groups = Groups(none, none.copy(), none.copy())
    group_of, first_member, next_member = groups
    walk = Walk(next_in_run(pairs, labels, num_qubits), np.empty(m, np.int64), none.copy())
    size = np.zeros(m, np.int64)
    between, num_between = fragments_joined(labels)
    # Groups that others may join, by the fragments that they are between: the newest, and which
    # came before each.
    newest, older = np.full(num_between, -1, np.int64), none.copy()
    walks, count = 0, 0
    for b in range(m):
        if labels[b, 0] == labels[b, 1]:
            continue
        joined, tries = -1, 0
        g = -1 if np.isnan(sine[b]) else newest[between[b]]
        while g >= 0 and tries < TRIES:
            if size[g] < MAX_GROUP:
                tries += 1
                blocked = False
                for side in range(2):
                    walks += 1
                    if leads_to(g, b, labels[b, side], labels, groups, walk, walks):
                        blocked = True
                        break
                if not blocked:
                    joined = g
            g = older[g]
        if joined < 0:
            joined = count
            count += 1
            if not np.isnan(sine[b]):
                older[joined] = newest[between[b]]
                newest[between[b]] = joined
        next_member[b] = first_member[joined]
        first_member[joined] = b
        group_of[b] = joined
        size[joined] += 1
    return group_of


@kernel
def shared_gate_bits(group: Ints, gate_cost: Floats, sine: Floats) -> float:
    """Add up log2 gamma^2 of all groups: gamma = 2 prod(1 + |sin theta|) - 1 for two or more."""
    m = group.shape[0]
    product = np.ones(m)
    size = np.zeros(m, np.int64)
    bits = 0.0
    for b in range(m):
        if group[b] >= 0:
            size[group[b]] += 1
            product[group[b]] *= 1.0 + sine[b]
    for b in range(m):
        if group[b] >= 0 and size[group[b]] == 1:
            bits += gate_cost[b]
    for g in range(m):
        if size[g] > 1:
            bits += 2.0 * np.log2(2.0 * product[g] - 1.0)
    return bits


@kernel
def wires_between(pairs: Ints, labels: Ints, num_qubits: int, num: int) -> Ints:
    """List the wire cuts, sorted: `num` times the fragment before each, plus the one after it."""
    cut = np.empty(2 * pairs.shape[0], np.int64)
    made = 0
    last = np.full(num_qubits, -1, np.int64)
    for b in range(pairs.shape[0]):
        for side in range(2):
            q = pairs[b, side]
            if last[q] >= 0 and last[q] != labels[b, side]:
                cut[made] = last[q] * num + labels[b, side]
                made += 1
            last[q] = labels[b, side]
    return np.sort(cut[:made])


@kernel
def shared_wire_bits(pairs: Ints, labels: Ints, num_qubits: int, wire_cost: float) -> float:
    """Add up the wire cuts' bits when fragments may tell later ones what they measured.

    All wires that run from fragment A to fragment B share decompositions of up to `MAX_GROUP`
    wires with gamma = 2^(n+1) - 1, if A can run wholly before B. The pairs that communicate are
    chosen greedily, most wires first, so that no fragment waits for itself.
    """
    num = labels.max() + 1 if pairs.shape[0] > 0 else 0
    cut = wires_between(pairs, labels, num_qubits, num)
    first = np.append(np.flatnonzero(np.append(np.full(1, -1), cut[:-1]) != cut), cut.shape[0])
    count = np.diff(first)
    most_first = np.argsort(-count, kind="mergesort")
    pair = cut[first[most_first]]
    talks = without_waiting(pair // num, pair % num, num)
    bits = 0.0
    for p, k in enumerate(most_first):
        if not talks[p]:
            bits += wire_cost * count[k]
            continue
        left = count[k]
        while left > 0:
            n = min(left, MAX_GROUP)
            bits += min(wire_cost * n, 2.0 * np.log2(2.0 ** (n + 1) - 1.0))
            left -= n
    return bits
