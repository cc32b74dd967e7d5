"""A fragment as a program: what to do to its own qubits, and where the cuts enter.

A cut is an index that the programs of two fragments share. Descriptions only: nothing runs here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdreamer_lab.engine.program import Step

__all__ = ["FragmentProgram"]


@dataclass(frozen=True, eq=False, slots=True)
class FragmentProgram:
    """Everything a worker needs to simulate one fragment.

    Local qubits that live on after an upstream wire cut come last, so that they are the leading
    bits of a state and can be split off without moving memory.

    Attributes:
        id: Label of the fragment in its plan.
        width: Local qubits.
        steps: In order of application, from |0…0⟩.
        open_cuts: Cut of each open qubit, most significant first; these are the `len(open_cuts)`
            last local qubits.
        wires: (circuit qubit, local qubit) for each wire that ends here.
        choices: (cut, number of choices) of each step that has a cut, in order of time.
    """

    id: int
    width: int
    steps: tuple[Step, ...]
    open_cuts: tuple[int, ...]
    wires: tuple[tuple[int, int], ...]
    choices: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        chosen = tuple((s.cut, len(s.matrices)) for s in self.steps if s.cut is not None)
        object.__setattr__(self, "choices", chosen)

    @property
    def axes(self) -> tuple[tuple[int, int], ...]:
        """(cut, dimension) of the state's leading axes: choices in order of time, then open."""
        return (*self.choices, *((cut, 2) for cut in self.open_cuts))

    @property
    def variants(self) -> int:
        """State vectors simulated."""
        return math.prod(size for _, size in self.choices)

    def variants_with(self, fixed: Mapping[int, int]) -> int:
        """State vectors simulated when the choice at some cuts is fixed."""
        return math.prod(size for cut, size in self.choices if cut not in fixed)

    def dims(self, fixed: Mapping[int, int]) -> tuple[int, ...]:
        """Sizes of `axes` when the choice at some cuts is fixed."""
        return tuple(1 if cut in fixed else size for cut, size in self.axes)
