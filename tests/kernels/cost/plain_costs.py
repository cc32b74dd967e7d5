"""What plans cost under each model, written in plain Python straight from the definitions."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict


def fragments_of(pairs, labels):
    """Per fragment, the edges block -> next block on the same qubit of the fragment."""
    edges = defaultdict(set)
    last = {}
    for block, (wires, ends) in enumerate(zip(pairs, labels, strict=True)):
        for wire, fragment in zip(wires, ends, strict=True):
            if wire in last and last[wire][0] == fragment:
                edges[fragment].add((last[wire][1], block))
            last[wire] = (fragment, block)
    return edges


def has_loop(edges, group):
    """Whether drawing blocks of one group together closes a loop."""
    drawn = defaultdict(set)
    for one, two in edges:
        if group.get(one, one) == group.get(two, two):
            return True
        drawn[group.get(one, one)].add(group.get(two, two))
    state = {}

    def visit(node):
        state[node] = "open"
        for follower in drawn[node]:
            if state.get(follower) == "open" or (follower not in state and visit(follower)):
                return True
        state[node] = "done"
        return False

    return any(node not in state and visit(node) for node in list(drawn))


def plain_groups(pairs, labels, sine, largest=8, tries=8):
    """Groups of cut blocks: each joins the earliest of the last groups that it can join."""
    edges = fragments_of(pairs, labels)
    groups = []
    for block, ends in enumerate(labels):
        if ends[0] == ends[1]:
            continue
        home = None
        if not math.isnan(sine[block]):
            tried = 0
            for k in range(len(groups) - 1, -1, -1):
                first = groups[k][0]
                if set(labels[first]) != set(ends) or math.isnan(sine[first]):
                    continue
                if len(groups[k]) == largest:
                    continue
                tried += 1
                if tried > tries:
                    break
                trial = [[*g, block] if j == k else g for j, g in enumerate(groups)]
                names = {b: ("group", j) for j, g in enumerate(trial) for b in g}
                if not any(has_loop(edges[f], names) for f in ends):
                    home = k
        if home is None:
            groups.append([block])
        else:
            groups[home].append(block)
    return groups


def plain_gate_bits(pairs, labels, gate_cost, sine, *, shared):
    if not shared:
        return sum(c for c, (f, g) in zip(gate_cost, labels, strict=True) if f != g)
    bits = 0.0
    for group in plain_groups(pairs, labels, sine):
        if len(group) == 1:
            bits += gate_cost[group[0]]
        else:
            bits += 2 * math.log2(2 * math.prod(1 + sine[b] for b in group) - 1)
    return bits


def wire_cuts(pairs, labels):
    last = {}
    for wires, ends in zip(pairs, labels, strict=True):
        for wire, fragment in zip(wires, ends, strict=True):
            if last.get(wire, fragment) != fragment:
                yield last[wire], fragment
            last[wire] = fragment


def plain_wire_bits(pairs, labels, wire_cost, *, talk):
    count = Counter(wire_cuts(pairs, labels))
    if not talk:
        return wire_cost * count.total()
    waits = set()
    bits = 0.0
    for (first, then), n in sorted(count.items(), key=lambda item: (-item[1], item[0])):
        if (then, first) in waits:
            bits += wire_cost * n
            continue
        waits.add((first, then))
        for _ in count:
            waits |= {(a, d) for (a, b), (c, d) in itertools.product(waits, waits) if b == c}
        for size in [8] * (n // 8) + [n % 8]:
            bits += 2 * math.log2(2 ** (size + 1) - 1)
    return bits


def plain_work(pairs, labels, rank):
    """Complex multiply-adds of exact mode."""
    names = sorted({f for ends in labels for f in ends})
    width, gates, batch, out = Counter(), Counter(), Counter(), Counter()
    cuts = []
    last = {}
    for block, (wires, ends) in enumerate(zip(pairs, labels, strict=True)):
        if ends[0] == ends[1]:
            gates[ends[0]] += 4
        else:
            cuts.append((*ends, rank[block]))
            for f in ends:
                gates[f] += 2
                batch[f] += math.log2(rank[block])
        for wire, f in zip(wires, ends, strict=True):
            if last.get(wire) != f:
                width[f] += 1
                if wire in last:
                    cuts.append((last[wire], f, 2))
                    batch[f] += 1
                    out[last[wire]] += 1
            last[wire] = f
    total = 0.0
    for f in names:
        total += 2 ** (batch[f] + width[f]) * gates[f]
        total += 2 ** (2 * batch[f] + width[f] + out[f])
    for f in names[1:]:
        open_cuts = [r for a, b, r in cuts if min(a, b) <= f <= max(a, b)]
        total += math.prod(r * r for r in open_cuts)
    return total
