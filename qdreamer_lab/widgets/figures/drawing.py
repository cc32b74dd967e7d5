"""The one figure that shows a plan best: `CutPlan.draw("plotly")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.widgets.figures.circuit import circuit
from qdreamer_lab.widgets.figures.coupling import coupling

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["drawing", "fits"]

_WIDEST, _MOST_BLOCKS = 64, 2000
"""Circuits with more qubits or blocks are shown as a coupling graph."""

_ROW = 18
"""Pixels per wire, where there is room."""


def fits(plan: CutPlan) -> bool:
    """Whether a plan's circuit is small enough to be read wire by wire."""
    return plan.blocks.num_qubits <= _WIDEST and plan.blocks.num_blocks <= _MOST_BLOCKS


def drawing(plan: CutPlan, *, dark: bool = False) -> go.Figure:
    """The circuit of a plan, or the coupling graph of one that is too wide; of a fitting height."""
    if not fits(plan):
        return coupling(plan, dark=dark).update_layout(height=640)
    height = min(1000, 150 + _ROW * max(6, plan.blocks.num_qubits))
    return circuit(plan, dark=dark).update_layout(height=height)
