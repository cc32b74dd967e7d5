"""A cut problem as kernels want it: what is cut, and what a plan has to keep.

It must not decide anything. It is apart from `problem`, which loads without numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import Blocks
from qdreamer_lab.kernels.pieces.pieces import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem

__all__ = ["blocks_of", "limits_of", "sines"]

#: More qubits than any circuit has.
ENOUGH = 2**40


def blocks_of(problem: CutProblem) -> Blocks:
    """Return the blocks with all that any cost model asks about them."""
    m = len(problem.pairs)
    return Blocks(
        problem.pairs,
        problem.gate_cost,
        float(problem.wire_cost),
        sines(problem),
        np.full(m, 4, np.int64) if problem.rank is None else problem.rank,
        problem.num_qubits,
    )


def sines(problem: CutProblem) -> NDArray[np.float64]:
    """|sin theta| per block (m,), NaN where unknown."""
    if problem.sine is None:
        return np.full(len(problem.pairs), np.nan)
    return problem.sine


def limits_of(problem: CutProblem, max_labels: int) -> Limits:
    """Return the limits of plans, with `max_labels` fragments at most if the problem sets none.

    Devices and fragments beyond `max_labels` of them are left out: there are not so many things to
    put on them.
    """
    # Numbers far beyond what a circuit can use are brought down to it: kernels count in int64.
    widest, total = (min(most, ENOUGH) for most in (problem.max_qubits, problem.total_room))
    if problem.devices is not None:
        # Those that cannot all be used still count as room for qubits without blocks.
        used = problem.devices[: problem.max_fragments][: max(1, max_labels)]
        alike = used[0] == used[-1]
        rooms = np.array(() if alike else [min(room, ENOUGH) for room in used], np.int64)
        return Limits(widest, total, len(used), rooms)
    if problem.max_fragments is not None:
        max_labels = min(problem.max_fragments, max(1, max_labels))
    return Limits(widest, total, max_labels, np.empty(0, np.int64))
