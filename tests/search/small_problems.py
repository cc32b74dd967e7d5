"""Small cut problems."""

from __future__ import annotations

import numpy as np

from qdreamer_lab.search.problem import CutProblem


def random_problem(seed: int, max_wires: int = 7, max_blocks: int = 10) -> CutProblem:
    """A random circuit of at most 7 qubits and 10 blocks, with a width that asks for cuts."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, max_wires + 1))
    m = int(rng.integers(1, max_blocks + 1))
    pairs = np.array([rng.choice(n, 2, replace=False) for _ in range(m)], np.int64)
    sine = rng.choice([0.1, 0.5, 1.0], m) if seed % 2 else rng.random(m)
    gate_cost = 2 * np.log2(1 + 2 * sine)
    general = rng.random(m) < 0.2
    gate_cost[general] += rng.random(general.sum()) * 2
    return CutProblem(
        n,
        pairs,
        gate_cost,
        int(rng.integers(1, max(2, n))),
        sine=np.where(general, np.nan, sine),
        rank=np.where(general, 4, 2),
    )


def ladder(rungs: int, max_qubits: int) -> CutProblem:
    """Two layers of blocks on a ladder, cheap along the rails and dear on the rungs."""
    rails = [(2 * k + side, 2 * k + 2 + side) for k in range(rungs - 1) for side in (0, 1)]
    steps = [(2 * k, 2 * k + 1) for k in range(rungs)]
    pairs = np.array((rails + steps) * 2)
    cost = np.array(([1.5] * len(rails) + [5.0] * len(steps)) * 2)
    return CutProblem(2 * rungs, pairs, cost, max_qubits)
