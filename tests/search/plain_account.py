"""Cost and widths of a plan, straight from their definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem


def plain_cost(problem: CutProblem, labels: NDArray[np.int64]) -> float:
    """Bits of all cuts, each on its own."""
    total = 0.0
    last: dict[int, int] = {}
    for (a, b), (f, g), cost in zip(problem.pairs, labels, problem.gate_cost, strict=True):
        total += cost if f != g else 0.0
        for wire, fragment in ((a, f), (b, g)):
            if last.get(wire, fragment) != fragment:
                total += problem.wire_cost
            last[wire] = fragment
    return total


def plain_widths(problem: CutProblem, labels: NDArray[np.int64]) -> dict[int, int]:
    """Qubits of every fragment."""
    widths: dict[int, int] = {}
    last: dict[int, int] = {}
    for (a, b), (f, g) in zip(problem.pairs, labels, strict=True):
        for wire, fragment in ((a, f), (b, g)):
            if last.get(wire) != fragment:
                widths[fragment] = widths.get(fragment, 0) + 1
            last[wire] = fragment
    return widths
