"""What kind of operation each step is: dense, multiplexed, diagonal, or a branch.

A 4 x 4 matrix that keeps one of its qubits (a CX, say, and what was merged with its target) is two
2 x 2 matrices, of which that qubit chooses one: half the arithmetic. A diagonal is less still, and
diagonals can be merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qdreamer_lab.kernels.simulate.gate_coefficients import read_matrices
from qdreamer_lab.kernels.simulate.tile_pass import BRANCH, DENSE_TWO, DIAGONAL, MULTIPLEXED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.program import Step

__all__ = ["Gate", "read_gates"]


class Gate(NamedTuple):
    """A step as far as planning goes.

    Attributes:
        kind: `DENSE_ONE`, `DENSE_TWO`, `MULTIPLEXED`, `DIAGONAL` or `BRANCH`.
        qubits: Least significant first; of a multiplexed gate the target, then the control.
        rank: Choices; 1 but for a branch.
    """

    kind: int
    qubits: tuple[int, ...]
    rank: int = 1

    @property
    def mask(self) -> int:
        """Its qubits, as bits."""
        return sum(1 << qubit for qubit in self.qubits)

    @property
    def size(self) -> int:
        """How many coefficients it has."""
        if self.kind == DIAGONAL:
            return 1 << len(self.qubits)
        return {DENSE_TWO: 16, MULTIPLEXED: 8}.get(self.kind, 4 * self.rank)


def read_gates(
    steps: Sequence[Step], fixed: Mapping[int, int]
) -> tuple[tuple[Gate, ...], NDArray[np.complex128]]:
    """Tell what kind each step is.

    Args:
        steps: In order of application.
        fixed: The choice at some cuts.

    Returns:
        The gates, and their coefficients one after another, `Gate.size` of each: the matrix row by
        row, of a multiplexed gate the two matrices, of a diagonal its entries, of a branch all
        matrices.
    """
    if not steps:
        return (), np.zeros(0, np.complex128)
    flat = [
        step.matrices.reshape(-1)
        if step.cut is None or step.cut not in fixed
        else step.matrices[fixed[step.cut]].reshape(-1)
        for step in steps
    ]
    two = [len(step.qubits) == 2 for step in steps]
    sizes = np.array([len(matrices) for matrices in flat])
    forms, coefficients = read_matrices(np.concatenate(flat), sizes, np.array(two))
    kinds, turned = forms.tolist()
    gates = [
        Gate(kind, step.qubits[::-1] if back else step.qubits)
        if kind != BRANCH
        else Gate(kind, step.qubits, len(step.matrices))
        for step, kind, back in zip(steps, kinds, turned, strict=True)
    ]
    return tuple(gates), coefficients
