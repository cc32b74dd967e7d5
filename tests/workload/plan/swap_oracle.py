"""Slow counts that are obviously right: fewest swaps by trying all, and plans by trying all."""

import itertools

import numpy as np


def fewest_swaps(pairs, edges, num_places):
    """Fewest swaps that blocks on pairs of qubits need, over all layouts and all orders of swaps.

    Layouts with what has been run so far are states; whatever can run runs at once, which never
    hurts, and the states that one swap more leads to are next.
    """
    qubits = sorted({qubit for pair in pairs for qubit in pair})
    near = {frozenset(edge) for edge in edges}

    def run(places, done):
        at = dict(zip(qubits, places, strict=True))
        blocked, now = set(), set(done)
        for k, (low, high) in enumerate(pairs):
            if k in now:
                continue
            together = frozenset((at[low], at[high])) in near
            if together and not {low, high} & blocked:
                now.add(k)
            else:
                blocked |= {low, high}
        return frozenset(now)

    layouts = itertools.permutations(range(num_places), len(qubits))
    states = {(places, run(places, ())) for places in layouts}
    seen, swaps = set(states), 0
    while not any(len(done) == len(pairs) for _, done in states):
        ahead = set()
        for places, done in states:
            for a, b in edges:
                moved = tuple(b if p == a else a if p == b else p for p in places)
                ahead.add((moved, run(moved, done)))
        states = ahead - seen
        seen |= states
        swaps += 1
    return swaps


def all_plans(pairs, gate_bits, max_qubits, below, wire_bits=4.0):
    """(labels, bits) of all plans whose cuts cost less than `below`, by label after label."""
    ends = [qubit for pair in pairs for qubit in pair]

    def go_on(labels, bits):
        k = len(labels)
        if bits >= below or too_wide(labels, ends, max_qubits):
            return
        if k == len(ends):
            yield np.array(labels).reshape(-1, 2), bits
            return
        last = max((j for j in range(k) if ends[j] == ends[k]), default=-1)
        for label in range(max(labels, default=-1) + 2):
            more = wire_bits if last >= 0 and labels[last] != label else 0.0
            if k % 2 and labels[-1] != label:
                more += gate_bits[k // 2]
            yield from go_on([*labels, label], bits + more)

    yield from go_on([], 0.0)


def segments(labels, ends):
    """Of each end, the stretch of its wire in one fragment."""
    found, last, count = [], {}, 0
    for qubit, label in zip(ends, labels, strict=False):
        if last.get(qubit, (None,))[0] != label:
            last[qubit] = (label, count)
            count += 1
        found.append(last[qubit][1])
    return found


def too_wide(labels, ends, max_qubits):
    """Whether a fragment has more stretches than that."""
    held = {}
    for label, segment in zip(labels, segments(labels, ends), strict=True):
        held.setdefault(label, set()).add(segment)
    return any(len(inside) > max_qubits for inside in held.values())


def pieces(pairs, labels):
    """The blocks inside of each connected part of a plan, on its own stretches of wires."""
    ends = [qubit for pair in pairs for qubit in pair]
    each = np.array(segments(labels.ravel().tolist(), ends)).reshape(-1, 2)
    groups = []
    for pair, sides in zip(each.tolist(), labels.tolist(), strict=True):
        if sides[0] == sides[1]:
            mine = [group for group in groups if {q for p in group for q in p} & set(pair)]
            groups = [group for group in groups if group not in mine]
            groups.append([p for group in mine for p in group] + [tuple(pair)])
    order = {tuple(pair): k for k, pair in enumerate(each.tolist())}
    assert len(order) <= len(each)
    return [in_time(group, each.tolist()) for group in groups]


def in_time(group, each):
    """The blocks of a part in the order in which the circuit has them."""
    inside = {qubit for pair in group for qubit in pair}
    return [tuple(pair) for pair in each if set(pair) <= inside and tuple(pair) in group]
