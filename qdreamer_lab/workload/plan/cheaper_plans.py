"""All plans whose cuts cost less than a limit, one after the other, as far as they can be counted.

A limit may fall on the way. It must not know what else a plan costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.kernels.cost.plan_price import FORBIDDEN
from qdreamer_lab.search.least_costs import least_costs
from qdreamer_lab.search.problem_arrays import limits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from qdreamer_lab.search.problem import CutProblem

__all__ = ["CheaperPlans"]

_EQUAL = 1e-9


class CheaperPlans:
    """Labels of a problem's block endpoints, in time order, fragments numbered as they appear.

    Args:
        problem: What is cut.
        cost: The cost model; a cut counts with the least it can cost under it.
        most_steps: Partial plans that are looked at.

    Attributes:
        complete: Whether the plans that were given are all.
    """

    def __init__(self, problem: CutProblem, cost: str, most_steps: int) -> None:
        least = least_costs(problem, cost)
        self._gates = least.gates.tolist() if "gate" in problem.kinds else None
        self._wire = float(least.wire) if "wire" in problem.kinds else FORBIDDEN
        self._wires = problem.pairs.ravel().tolist()
        self._limits = limits_of(problem, 2 * len(problem.pairs))
        self._most_steps = most_steps
        self.complete = False

    def below(self, limit: Callable[[], float]) -> Iterator[NDArray[np.int64]]:
        """Labels (m, 2) of plans whose cuts cost less than the limit, which is asked at each step.

        Depth first: an endpoint gets the label of one fragment after the other, or a new one.
        """
        ends = len(self._wires)
        labels, bits, used, widths = [-1] * ends, [0.0] * (ends + 1), [0] * (ends + 1), [0] * ends
        before = _previous(self._wires)
        entered = [False] * ends
        depth = 0
        for _ in range(self._most_steps):
            if depth < 0:
                break
            if depth == ends:
                yield np.array(labels, np.int64).reshape(-1, 2)
                depth -= 1
                continue
            if entered[depth]:
                widths[labels[depth]] -= 1
                entered[depth] = False
            labels[depth] += 1
            label = labels[depth]
            if label > used[depth] or label >= self._limits.max_labels:
                labels[depth] = -1
                depth -= 1
                continue
            last = before[depth]
            enters = last < 0 or labels[last] != label
            if enters and not self._has_room(widths, label):
                continue
            low = bits[depth] + self._added(labels, depth, cut=enters and last >= 0)
            if low >= limit() - _EQUAL:
                continue
            if enters:
                widths[label] += 1
                entered[depth] = True
            bits[depth + 1] = low
            used[depth + 1] = max(used[depth], label + 1)
            depth += 1
        self.complete = depth < 0

    def _has_room(self, widths: list[int], label: int) -> bool:
        limits = self._limits
        return widths[label] < limits.max_width and sum(widths) < limits.total_room

    def _added(self, labels: list[int], end: int, *, cut: bool) -> float:
        """Bits that an endpoint's label adds: of its wire, if that is cut, and of its block."""
        found = self._wire if cut else 0.0
        if end % 2 and labels[end] != labels[end - 1]:
            found += FORBIDDEN if self._gates is None else self._gates[end // 2]
        return found


def _previous(wires: list[int]) -> list[int]:
    """The endpoint before each one on its wire; -1 where there is none."""
    last: dict[int, int] = {}
    found = []
    for end, wire in enumerate(wires):
        found.append(last.get(wire, -1))
        last[wire] = end
    return found
