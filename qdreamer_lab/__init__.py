"""Q-Dreamer: cut quantum circuits that are too wide, and know what it will cost.

Names are imported on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.device_terms import DeviceTerms
    from qdreamer_lab.dreamer.dreamer import QDreamer
    from qdreamer_lab.dreamer.profile import MachineProfile
    from qdreamer_lab.dreamer.recommendation import Limits
    from qdreamer_lab.widgets.explorer import CutExplorer
    from qdreamer_lab.workload.estimator import CutEstimator
    from qdreamer_lab.workload.expand import cutting_problem, expand
    from qdreamer_lab.workload.find import find_cuts
    from qdreamer_lab.workload.plan import CutPlan
    from qdreamer_lab.workload.planner import pareto, plan_cuts

__version__ = "0.1.0"

__all__ = [
    "CutEstimator",
    "CutExplorer",
    "CutPlan",
    "DeviceTerms",
    "Limits",
    "MachineProfile",
    "QDreamer",
    "cutting_problem",
    "expand",
    "find_cuts",
    "pareto",
    "plan_cuts",
]

_HOMES = {
    "CutEstimator": "qdreamer_lab.workload.estimator",
    "CutExplorer": "qdreamer_lab.widgets.explorer",
    "CutPlan": "qdreamer_lab.workload.plan",
    "DeviceTerms": "qdreamer_lab.dreamer.device_terms",
    "Limits": "qdreamer_lab.dreamer.recommendation",
    "MachineProfile": "qdreamer_lab.dreamer.profile",
    "QDreamer": "qdreamer_lab.dreamer.dreamer",
    "cutting_problem": "qdreamer_lab.workload.expand",
    "expand": "qdreamer_lab.workload.expand",
    "find_cuts": "qdreamer_lab.workload.find",
    "pareto": "qdreamer_lab.workload.planner",
    "plan_cuts": "qdreamer_lab.workload.planner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
