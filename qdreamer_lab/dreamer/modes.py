"""The modes that can be predicted: a line for each.

A new way to run circuits is a room with its shapes, costs, cases and probes, and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.exact.case import exact_case
from qdreamer_lab.dreamer.exact.probes import exact_probes, local_probes
from qdreamer_lab.dreamer.mode import ModeCost
from qdreamer_lab.dreamer.sampled.case import sampled_case
from qdreamer_lab.dreamer.sampled.probes import round_probes, shot_probes
from qdreamer_lab.dreamer.uncut.case import product_state_case, stabilizer_case
from qdreamer_lab.dreamer.uncut.probes import chain_probes, clifford_probes
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.modes import EXACT, SAMPLED, mode_of

if TYPE_CHECKING:
    from qdreamer_lab.workload.mode import Mode

__all__ = ["MODE_COSTS", "cost_of"]

MODE_COSTS = (
    ModeCost(EXACT, exact_case, exact_probes, local_probes),
    ModeCost(SAMPLED, sampled_case, shot_probes, round_probes),
    ModeCost(mode_of("exact", "matrix_product_state"), product_state_case, chain_probes, list),
    ModeCost(mode_of("exact", "stabilizer"), stabilizer_case, clifford_probes, list),
)
"""In the order in which their probes are run."""


def cost_of(mode: Mode) -> ModeCost:
    """The line of a mode.

    Raises:
        QDreamerError: If there is none.
    """
    for cost in MODE_COSTS:
        if cost.mode == mode:
            return cost
    raise QDreamerError(f"mode={mode.name!r} with method={mode.method!r} cannot be predicted")
