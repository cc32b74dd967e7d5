"""How the cut finder's time, memory and quality grow; METIS partitions the same graphs.

    python -m benchmarks.finder.scale

Two families: CX on random pairs, and CX along the edges of a square grid, over and over. METIS
(pymetis) cuts gates only, and is given several tolerances; its cheapest partition whose parts
hold at most W qubits counts.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections import Counter

import numpy as np
import pymetis

from qdreamer_lab.search.finder import search
from qdreamer_lab.search.memory import forget
from qdreamer_lab.search.problem import CutProblem

CX_BITS = 2 * math.log2(3)
SIZES = ((250, 5_000, 25), (500, 10_000, 50), (1_000, 20_000, 100))


def random_pairs(n: int, m: int) -> np.ndarray:
    """M random pairs of n qubits."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, n, m)
    return np.column_stack((first, (first + rng.integers(1, n, m)) % n))


def grid_pairs(n: int, m: int) -> np.ndarray:
    """M pairs along the edges of the largest square grid of at most n qubits."""
    side = math.isqrt(n)
    site = np.arange(side * side).reshape(side, side)
    rows = np.column_stack((site[:, :-1].ravel(), site[:, 1:].ravel()))
    columns = np.column_stack((site[:-1].ravel(), site[1:].ravel()))
    edges = np.concatenate((rows, columns))
    return np.tile(edges, (-(-m // len(edges)), 1))[:m]


def metis_bits(n: int, pairs: np.ndarray, width: int) -> float:
    """Bits of the gates that METIS cuts, infinite if it never keeps the width."""
    count = Counter(tuple(sorted(pair)) for pair in pairs.tolist())
    around: list[dict[int, int]] = [{} for _ in range(n)]
    for (first, second), times in count.items():
        around[first][second] = around[second][first] = times
    graph = pymetis.CSRAdjacency(
        np.cumsum([0, *map(len, around)]), [two for near in around for two in near]
    )
    weights = [times for near in around for times in near.values()]
    best = math.inf
    for tolerance in (1, 5, 10, 30):
        for seed in range(3):
            cut, part = pymetis.part_graph(
                -(-n // width),
                adjacency=graph,
                eweights=weights,
                options=pymetis.Options(ufactor=tolerance, seed=seed),
            )
            if np.bincount(part).max() <= width:
                best = min(best, cut * CX_BITS)
    return best


def main() -> None:
    """Run both families over three sizes."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    search(CutProblem(400, random_pairs(400, 6_000), np.full(6_000, CX_BITS), 50))
    for make in (random_pairs, grid_pairs):
        for size, m, width in SIZES:
            pairs = make(size, m)
            n = int(pairs.max()) + 1
            problem = CutProblem(n, pairs, np.full(m, CX_BITS), width)
            began = time.perf_counter()
            first = search(problem, time_limit_s=0.0)
            seconds_first = time.perf_counter() - began
            forget()
            began = time.perf_counter()
            found = search(problem, time_limit_s=8.0)
            seconds = time.perf_counter() - began
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{make.__name__:13s} n={n:5d} m={m:6d} W={width:4d}"
                f"  first {first.log2_overhead:9.1f} bits {seconds_first:6.3f} s"
                f"  found {found.log2_overhead:9.1f} bits {seconds:6.2f} s"
                f"  METIS {metis_bits(n, pairs, width):9.1f} bits  peak {memory:5.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
