"""The variants of a fragment: one operation at each cut, and one measurement basis.

Descriptions only: `simulate` runs them on simulators, the room `device` on QPUs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.fragment.program import FragmentProgram
    from qdreamer_lab.workload.sampled.bases import Basis
    from qdreamer_lab.workload.sampled.glue import Operation, Side

__all__ = ["Leg", "ShotFragment", "tensor_product"]


@dataclass(frozen=True, eq=False, slots=True)
class Leg:
    """One side of a glue, at the fragment that has it.

    Attributes:
        axes: Which axes of the fragment's states (`FragmentProgram.axes`) it covers; several where
            gates are cut together.
        glue: Number of the glue in its run.
        end: 0 for the glue's first side, 1 for its second.
        side: What it can do.
    """

    axes: tuple[int, ...]
    glue: int
    end: int
    side: Side


@dataclass(frozen=True, eq=False, slots=True)
class ShotFragment:
    """A fragment and everything wanted of it.

    A variant is a number; its digits are the basis and then the operation at each leg, the last
    varying fastest.

    Attributes:
        program: The fragment; the matrices of its cut steps are the unitaries of Weyl forms.
        legs: Its cuts.
        bases: How its qubits are measured.
        num_operators: Local operators wanted, over all bases.
    """

    program: FragmentProgram
    legs: tuple[Leg, ...]
    bases: tuple[Basis, ...]
    num_operators: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of bases, and of operations at each leg."""
        return (len(self.bases), *(len(leg.side.operations) for leg in self.legs))

    @property
    def num_variants(self) -> int:
        """How many different circuits there are."""
        return math.prod(self.shape)

    @property
    def dims(self) -> tuple[int, ...]:
        """Coordinates of each leg; the fragment's tensor is (operators, *dims)."""
        return tuple(len(leg.side.dual) for leg in self.legs)

    def basis(self, variant: int) -> Basis:
        """The basis that a variant is measured in."""
        return self.bases[self.digits(variant)[0]]

    def operations(self, variant: int) -> tuple[Operation, ...]:
        """What a variant does at each leg."""
        digits = self.digits(variant)[1:]
        return tuple(leg.side.operations[k] for leg, k in zip(self.legs, digits, strict=True))

    def readout(self, variant: int) -> NDArray[np.float64]:
        """(Π dims, outcomes): what the mean of each outcome adds to each coordinate.

        Outcomes are those of all legs, the last leg's varying fastest.
        """
        matrix: NDArray[np.float64] = np.ones((1, 1))
        for leg, k in zip(self.legs, self.digits(variant)[1:], strict=True):
            start, stop = leg.side.starts[k : k + 2]
            matrix = tensor_product(matrix, leg.side.dual[:, start:stop])
        return matrix

    def weights(self) -> NDArray[np.float64]:
        """(num_variants,): how much each matters before anything is known, largest 1."""
        weights: NDArray[np.float64] = np.ones(1)
        for leg in self.legs:
            weights = np.asarray(np.kron(weights, leg.side.weights), dtype=np.float64)
        return np.tile(weights, len(self.bases))

    def digits(self, variant: int) -> tuple[int, ...]:
        """A variant's basis, and its operation at each leg."""
        digits = []
        for size in reversed(self.shape):
            variant, digit = divmod(variant, size)
            digits.append(digit)
        return tuple(reversed(digits))


def tensor_product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """The Kronecker product of two matrices; NumPy's own is slow on small ones."""
    rows, columns = left.shape[0] * right.shape[0], left.shape[1] * right.shape[1]
    return np.asarray((left[:, None, :, None] * right[:, None, :]).reshape(rows, columns))
