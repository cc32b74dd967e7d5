"""Compiles every kernel of the finder ahead of time, so that no later call has to.

Numba keeps machine code on disk: this takes half a minute once per installation, and well under a
second afterwards. It must run outside widget callbacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.driver import search
from qdreamer_lab.search.objectives import MODELS, joint_groups
from qdreamer_lab.search.problem import CutProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["warm_up"]

#: Compiling counts as searching; no step may be cut short by it.
PATIENCE_S = 600.0


def warm_up(report: Callable[[str], None] | None = None) -> None:
    """Run every kernel once on tiny circuits.

    Args:
        report: called with a line of text before each step.
    """
    ring = np.array([[q, (q + 1) % 8] for _ in range(3) for q in range(8)], np.int64)
    dense = np.array([[a, b] for a in range(120) for b in range(a)][:4_000], np.int64)
    small, large = _problem(ring[:9], 9, 3), _problem(dense, 120, 30)
    for number, cost in enumerate(MODELS):
        if report is not None:
            report(f"compiling the cut finder, step {number + 1} of {len(MODELS)}: {cost}")
        search(small, cost=cost, time_limit_s=PATIENCE_S)
    search(_problem(ring, 8, 3), time_limit_s=PATIENCE_S)
    search(large, time_limit_s=0.0)
    joint_groups(small, np.zeros((9, 2), np.int64))


def _problem(pairs: NDArray[np.int64], num_qubits: int, max_qubits: int) -> CutProblem:
    """A circuit of CX blocks on these pairs."""
    m = len(pairs)
    return CutProblem(num_qubits, pairs, np.full(m, 3.17), max_qubits, sine=np.ones(m))
