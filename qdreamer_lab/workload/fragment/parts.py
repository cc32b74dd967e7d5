"""A fragment that is to be simulated, and its batch of states in parts.

In a part the choices at some cuts are fixed. Descriptions and places only: nothing runs here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.footprint import Choice
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["FragmentCall", "parts_of", "place_block"]


@dataclass(frozen=True, eq=False, slots=True)
class FragmentCall:
    """A fragment to simulate.

    Attributes:
        program: The fragment.
        operators: Products of one-qubit operators on local qubits that are not open.
        bra: Choices that are fixed on the bra's side.
        ket: The same cuts with the choices on the ket's side.
    """

    program: FragmentProgram
    operators: tuple[Factors, ...]
    bra: Choice
    ket: Choice

    @property
    def variants(self) -> int:
        """State vectors to simulate."""
        return (1 if self.bra == self.ket else 2) * self.program.variants_with(self.bra)


def parts_of(program: FragmentProgram, split: tuple[int, ...]) -> list[dict[int, int]]:
    """Every combination of choices at the split cuts."""
    sizes = dict(program.axes)
    ranges = [range(sizes[cut]) for cut in split]
    return [dict(zip(split, chosen, strict=True)) for chosen in itertools.product(*ranges)]


def place_block(
    program: FragmentProgram,
    tensors: NDArray[np.complex128],
    block: NDArray[np.complex128],
    left_part: Choice,
    right_part: Choice,
    *,
    mirror: bool,
) -> None:
    """Put the Gram matrices of two parts where they belong, and their adjoints if `mirror`."""
    left = tuple(left_part.get(cut, slice(None)) for cut, _ in program.axes)
    right = tuple(right_part.get(cut, slice(None)) for cut, _ in program.axes)
    here = tensors[(slice(None), *left, *right)]
    here[...] = block.reshape(here.shape)
    if mirror:
        there = tensors[(slice(None), *right, *left)]
        there[...] = block.conj().transpose(0, 2, 1).reshape(there.shape)
