"""Small problems on which a search runs every kernel, so that they can be compiled ahead of time.

Numba keeps machine code on disk: compiling takes half a minute once per installation, loading some
tenths of a second once per process. Nothing runs here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.search.problem import CutProblem

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["samples"]

_PATIENCE_S = 600.0
"""No step may be cut short because the one before had to compile."""


def samples(cost: str) -> list[tuple[CutProblem, float]]:
    """Problems and the time limits to search them with; together they run all kernels.

    Args:
        cost: The cost model. All models need what `"lo"` does, whose samples are its own, and
            `"limited"` stands for limits on the number of fragments under any of them.
    """
    ring = np.array([[q, (q + 1) % 8] for _ in range(3) for q in range(8)], np.int64)
    small = (_problem(ring[:9], 9, 3), _PATIENCE_S)
    if cost == "limited":
        # No plan for fragments of six fits on these, so that all strategies are tried.
        return [(replace(_problem(ring, 8, 6), devices=(6, 1, 1)), _PATIENCE_S)]
    if cost != "lo":
        return [small]
    dense = np.array([[a, b] for a in range(120) for b in range(a)][:4_000], np.int64)
    return [small, (_problem(ring, 8, 3), _PATIENCE_S), (_problem(dense, 120, 30), 0.0)]


def _problem(pairs: NDArray[np.int64], num_qubits: int, max_qubits: int) -> CutProblem:
    """A circuit of CX blocks on these pairs."""
    m = len(pairs)
    return CutProblem(num_qubits, pairs, np.full(m, 3.17), max_qubits, sine=np.ones(m))
