"""Where the columns of a circuit's picture are, with room for the cuts of wires. No traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.workload.picture.layout import picture_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.picture.layout import Picture
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["GAP", "MARK", "SHOWN", "Grid", "grid_of"]

_LEAD = 1.4
"""Room before a column in which a wire is cut, for the mark and a letter."""

MARK, GAP = 1.55, 0.7
"""How far before a column a wire cut is marked, and how far before it the wire goes on."""

SHOWN = 160
"""Columns that are shown at first."""

_SMALL = 48
"""Circuits with more qubits have thinner wires, fuller boxes, and no letters after wire cuts."""


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """A plan laid out.

    Attributes:
        plan: The plan.
        picture: Columns of its blocks, and segments of its wires.
        places: (columns + 1,) x of each column, and of the end.
    """

    plan: CutPlan
    picture: Picture
    places: NDArray[np.float64]

    @property
    def x(self) -> NDArray[np.float64]:
        """(m,) x of each block."""
        return self.places[self.picture.column]

    @property
    def small(self) -> bool:
        """Whether there is room for details on each wire."""
        return self.plan.blocks.num_qubits <= _SMALL

    @property
    def last(self) -> float:
        """The x up to which the circuit is shown at first."""
        return float(self.places[min(SHOWN, len(self.places) - 1)])

    @property
    def letter(self) -> float:
        """As much of x as a letter takes, whatever the circuit's length."""
        return max(0.1, self.last / 40)


def grid_of(plan: CutPlan) -> Grid:
    """Lay a plan out."""
    picture = picture_of(plan)
    led = np.zeros(picture.num_columns + 1)
    led[list(picture.led)] = _LEAD
    return Grid(plan, picture, np.arange(picture.num_columns + 1.0) + np.cumsum(led))
