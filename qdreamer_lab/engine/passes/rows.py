"""Where the states of different choices lie in a batch.

A batch has a row for each combination of choices, the last branch in the program changing fastest.
Rows have their final place from the beginning: a branch that is done earlier or later than others
leaves room for theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import Pass

__all__ = ["jumps_of", "strides_of"]


def strides_of(gates: Sequence[Gate]) -> tuple[int, ...]:
    """Rows between one choice and the next of each gate."""
    strides, below = [], 1
    for gate in reversed(gates):
        strides.append(below)
        below *= gate.rank
    return tuple(reversed(strides))


def jumps_of(step: Pass, strides: Sequence[int]) -> NDArray[np.int64]:
    """(growth,) how far from its row each combination of a pass's choices lies."""
    jumps = np.zeros(1, np.int64)
    for operation in step.operations:
        if operation.rank > 1:
            choices = np.arange(operation.rank) * strides[operation.gates[0]]
            jumps = (jumps[:, None] + choices).ravel()
    return jumps
