"""The modes that can be predicted: a line for each.

A new way to run circuits is a room with its shapes, costs, cases and probes, and a line here.
"""

from __future__ import annotations

from qdreamer_lab.dreamer.exact.case import exact_case
from qdreamer_lab.dreamer.exact.probes import exact_probes, join_probes
from qdreamer_lab.dreamer.mode import ModeCost
from qdreamer_lab.dreamer.sampled.case import sampled_case
from qdreamer_lab.dreamer.sampled.probes import round_probes, shot_probes
from qdreamer_lab.dreamer.uncut.case import product_state_case, stabilizer_case
from qdreamer_lab.dreamer.uncut.probes import chain_probes, clifford_probes

__all__ = ["MODE_COSTS", "cost_of"]

MODE_COSTS = (
    ModeCost("exact", "statevector", exact_case, exact_probes, join_probes),
    ModeCost("sampled", "statevector", sampled_case, shot_probes, round_probes),
    ModeCost("exact", "matrix_product_state", product_state_case, chain_probes, list),
    ModeCost("exact", "stabilizer", stabilizer_case, clifford_probes, list),
)
"""In the order in which their probes are run."""


def cost_of(mode: str, method: str) -> ModeCost:
    """The line of a mode and a method of simulation that `Configuration` allows."""
    return next(one for one in MODE_COSTS if (one.mode, one.method) == (mode, method))
