"""Checks and prices a plan from its labels alone, sharing no code with the finder.

It builds every fragment as a circuit of its own, counts its qubits, and re-derives the price of
every cut from the blocks' matrices. Written to be read, not to be fast.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

import networkx as nx
import numpy as np

PAULIS = [
    np.eye(2),
    np.array([[0, 1], [1, 0]]),
    np.array([[0, -1j], [1j, 0]]),
    np.diag([1, -1]),
]
LARGEST_GROUP = 8
GROUPS_TRIED = 8


@dataclass(frozen=True)
class Score:
    """What a plan costs, in bits of sampling overhead, and how wide its fragments are."""

    lo: float
    joint: float
    locc: float
    widths: tuple[int, ...]


def gamma_of(unitary: np.ndarray) -> float:
    """Gamma of one block by itself: 1 + 4 sum_{i<j} u_i u_j (arXiv:2312.11638).

    The u are the singular values of the block's 4 x 4 table of Pauli coefficients.
    """
    table = np.array([[np.trace(unitary @ np.kron(p, q)) / 4 for q in PAULIS] for p in PAULIS])
    u = np.linalg.svd(table, compute_uv=False)
    return float(1 + 4 * sum(u[i] * u[j] for i in range(4) for j in range(i)))


def angle_of(unitary: np.ndarray) -> float | None:
    """|sin theta| if the block is a rotation about one axis up to one-qubit gates, else None."""
    table = np.array([[np.trace(unitary @ np.kron(p, q)) / 4 for q in PAULIS] for p in PAULIS])
    u = np.linalg.svd(table, compute_uv=False)
    return None if u[2] > 1e-7 else float(min(1.0, 2 * u[0] * u[1]))


def score(pairs: np.ndarray, unitaries: np.ndarray, labels: np.ndarray) -> Score:
    """Price a plan under the three sampling models.

    Args:
        pairs: (m, 2) qubits of each block, in time order.
        unitaries: (m, 4, 4) their matrices.
        labels: (m, 2) fragment of each end.
    """
    fragments, wire_cuts = build_fragments(pairs, labels)
    cut = [b for b, (left, right) in enumerate(labels.tolist()) if left != right]
    gammas = {b: gamma_of(unitaries[b]) for b in cut}
    sines = {b: angle_of(unitaries[b]) for b in cut}
    gates = 2 * sum(math.log2(gammas[b]) for b in cut)
    groups = side_by_side(fragments, labels, sines)
    shared = 0.0
    for group in groups:
        if len(group) == 1:
            shared += 2 * math.log2(gammas[group[0]])
        else:
            shared += 2 * math.log2(2 * math.prod(1 + sines[b] for b in group) - 1)
    widths = tuple(fragment.graph["width"] for fragment in fragments.values())
    local_wires = 4.0 * len(wire_cuts)
    return Score(
        gates + local_wires, shared + local_wires, shared + communicating(wire_cuts), widths
    )


def build_fragments(
    pairs: np.ndarray, labels: np.ndarray
) -> tuple[dict[int, nx.DiGraph], list[tuple[int, int]]]:
    """Build each fragment as a graph of blocks, an edge leading to the next block on a qubit.

    Returns:
        The fragments, with their number of qubits as `graph["width"]`; and (from, to) of every
        wire cut.
    """
    fragments: dict[int, nx.DiGraph] = defaultdict(lambda: nx.DiGraph(width=0))
    wire_cuts = []
    place: dict[int, tuple[int, int]] = {}
    for block, (wires, ends) in enumerate(zip(pairs.tolist(), labels.tolist(), strict=True)):
        for wire, fragment in zip(wires, ends, strict=True):
            fragments[fragment].add_node(block)
            before = place.get(wire)
            if before is not None and before[0] == fragment:
                fragments[fragment].add_edge(before[1], block)
            else:
                fragments[fragment].graph["width"] += 1
                if before is not None:
                    wire_cuts.append((before[0], fragment))
            place[wire] = (fragment, block)
    return fragments, wire_cuts


def side_by_side(
    fragments: dict[int, nx.DiGraph], labels: np.ndarray, sines: dict[int, float | None]
) -> list[list[int]]:
    """Group cut rotations that can run at one moment in both of their fragments.

    Each joins the earliest group that leaves both fragments without a loop once the members of
    every group are drawn together, out of the last few groups between the same fragments.
    """
    drawn = {name: graph.copy() for name, graph in fragments.items()}
    groups: list[list[int]] = []
    between: list[tuple[int, int]] = []
    for block, sine in sines.items():
        ends = tuple(sorted(labels[block].tolist()))
        home = None
        if sine is not None:
            fits = [
                g
                for g in range(len(groups) - 1, -1, -1)
                if between[g] == ends
                and len(groups[g]) < LARGEST_GROUP
                and sines[groups[g][0]] is not None
            ]
            for g in fits[:GROUPS_TRIED]:
                first = groups[g][0]
                if not any(
                    nx.has_path(drawn[f], first, block) or nx.has_path(drawn[f], block, first)
                    for f in ends
                ):
                    home = g
        if home is None:
            groups.append([block])
            between.append(ends)
            continue
        for f in ends:
            merge(drawn[f], groups[home][0], block)
        groups[home].append(block)
    for graph in drawn.values():
        assert nx.is_directed_acyclic_graph(graph), "a group cannot run at one moment"
    return groups


def merge(graph: nx.DiGraph, into: int, node: int) -> None:
    """Draw `node` into `into`."""
    graph.add_edges_from([(u, into) for u in graph.predecessors(node)])
    graph.add_edges_from([(into, v) for v in graph.successors(node)])
    graph.remove_node(node)


def communicating(wire_cuts: list[tuple[int, int]]) -> float:
    """Bits of wire cuts when a fragment may tell later ones what it measured (arXiv:2302.03366).

    n wires from one fragment to another have gamma = 2^(n + 1) - 1. Pairs of fragments with most
    wires go first; one that would make a fragment wait for itself stays with 4 bits a wire.
    """
    count: dict[tuple[int, int], int] = defaultdict(int)
    for cut in wire_cuts:
        count[cut] += 1
    waits = nx.DiGraph()
    bits = 0.0
    for (first, then), n in sorted(count.items(), key=lambda item: (-item[1], item[0])):
        waits.add_nodes_from((first, then))
        if nx.has_path(waits, then, first):
            bits += 4.0 * n
            continue
        waits.add_edge(first, then)
        for size in [LARGEST_GROUP] * (n // LARGEST_GROUP) + [n % LARGEST_GROUP] * (
            n % LARGEST_GROUP > 0
        ):
            bits += 2 * math.log2(2 ** (size + 1) - 1)
    return bits
