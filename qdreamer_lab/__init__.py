"""Q-Dreamer: cut quantum circuits that are too wide, and know what it will cost.

Names are imported on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.advice.limits import Limits
    from qdreamer_lab.dreamer.device.terms import DeviceTerms
    from qdreamer_lab.dreamer.dreamer import QDreamer
    from qdreamer_lab.dreamer.machine.profile import MachineProfile
    from qdreamer_lab.widgets.explorer import CutExplorer
    from qdreamer_lab.workload.addon.experiments import cutting_problem, expand
    from qdreamer_lab.workload.addon.find_cuts import find_cuts
    from qdreamer_lab.workload.estimator import CutEstimator
    from qdreamer_lab.workload.plan.find import pareto, plan_cuts
    from qdreamer_lab.workload.plan.plan import CutPlan

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
    "CutPlan": "qdreamer_lab.workload.plan.plan",
    "DeviceTerms": "qdreamer_lab.dreamer.device.terms",
    "Limits": "qdreamer_lab.dreamer.advice.limits",
    "MachineProfile": "qdreamer_lab.dreamer.machine.profile",
    "QDreamer": "qdreamer_lab.dreamer.dreamer",
    "cutting_problem": "qdreamer_lab.workload.addon.experiments",
    "expand": "qdreamer_lab.workload.addon.experiments",
    "find_cuts": "qdreamer_lab.workload.addon.find_cuts",
    "pareto": "qdreamer_lab.workload.plan.find",
    "plan_cuts": "qdreamer_lab.workload.plan.find",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
