"""Q-Dreamer: cut quantum circuits that are too wide, and know what it will cost.

Names are imported on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.advice.limits import Limits
    from qdreamer_lab.dreamer.device.owner_terms import DeviceTerms
    from qdreamer_lab.dreamer.dreamer import QDreamer
    from qdreamer_lab.dreamer.machine.profile import MachineProfile
    from qdreamer_lab.dreamer.model.power_law import PowerLawModel
    from qdreamer_lab.errors import (
        CircuitError,
        DeviceError,
        GpuError,
        InfeasiblePlanError,
        LongRunWarning,
        MemoryLimitError,
        MethodError,
        MotifError,
        ObservableError,
        PlanError,
        PrecisionError,
        PubError,
        QasmError,
        QDreamerError,
        StepError,
        WorkersLostError,
    )
    from qdreamer_lab.widgets.explorer import CutExplorer
    from qdreamer_lab.workflow.motif import Motif
    from qdreamer_lab.workflow.registry import motif
    from qdreamer_lab.workflow.steps.flow import run_steps
    from qdreamer_lab.workflow.steps.step import step
    from qdreamer_lab.workflow.steps.store import Store
    from qdreamer_lab.workload.addon.experiments import cutting_problem, expand
    from qdreamer_lab.workload.addon.find_cuts import find_cuts
    from qdreamer_lab.workload.estimator import CutEstimator
    from qdreamer_lab.workload.execution.decisions import Adviser, Course, Decision, Standing
    from qdreamer_lab.workload.outcomes.distribution import Distribution
    from qdreamer_lab.workload.plan.find import pareto, plan_cuts
    from qdreamer_lab.workload.plan.plan import CutPlan
    from qdreamer_lab.workload.qasm import load_circuit
    from qdreamer_lab.workload.sampler import CutSampler

__version__ = "0.2.0"

__all__ = [
    "Adviser",
    "CircuitError",
    "Course",
    "CutEstimator",
    "CutExplorer",
    "CutPlan",
    "CutSampler",
    "Decision",
    "DeviceError",
    "DeviceTerms",
    "Distribution",
    "GpuError",
    "InfeasiblePlanError",
    "Limits",
    "LongRunWarning",
    "MachineProfile",
    "MemoryLimitError",
    "MethodError",
    "Motif",
    "MotifError",
    "ObservableError",
    "PlanError",
    "PowerLawModel",
    "PrecisionError",
    "PubError",
    "QDreamer",
    "QDreamerError",
    "QasmError",
    "Standing",
    "StepError",
    "Store",
    "WorkersLostError",
    "cutting_problem",
    "expand",
    "find_cuts",
    "load_circuit",
    "motif",
    "pareto",
    "plan_cuts",
    "run_steps",
    "step",
]

_HOMES = {
    "Adviser": "qdreamer_lab.workload.execution.decisions",
    "CircuitError": "qdreamer_lab.errors",
    "Course": "qdreamer_lab.workload.execution.decisions",
    "CutEstimator": "qdreamer_lab.workload.estimator",
    "CutExplorer": "qdreamer_lab.widgets.explorer",
    "CutPlan": "qdreamer_lab.workload.plan.plan",
    "CutSampler": "qdreamer_lab.workload.sampler",
    "Decision": "qdreamer_lab.workload.execution.decisions",
    "Distribution": "qdreamer_lab.workload.outcomes.distribution",
    "DeviceError": "qdreamer_lab.errors",
    "GpuError": "qdreamer_lab.errors",
    "DeviceTerms": "qdreamer_lab.dreamer.device.owner_terms",
    "InfeasiblePlanError": "qdreamer_lab.errors",
    "Limits": "qdreamer_lab.dreamer.advice.limits",
    "LongRunWarning": "qdreamer_lab.errors",
    "MachineProfile": "qdreamer_lab.dreamer.machine.profile",
    "MemoryLimitError": "qdreamer_lab.errors",
    "MethodError": "qdreamer_lab.errors",
    "Motif": "qdreamer_lab.workflow.motif",
    "MotifError": "qdreamer_lab.errors",
    "ObservableError": "qdreamer_lab.errors",
    "PlanError": "qdreamer_lab.errors",
    "PowerLawModel": "qdreamer_lab.dreamer.model.power_law",
    "PrecisionError": "qdreamer_lab.errors",
    "PubError": "qdreamer_lab.errors",
    "QDreamer": "qdreamer_lab.dreamer.dreamer",
    "QDreamerError": "qdreamer_lab.errors",
    "QasmError": "qdreamer_lab.errors",
    "Standing": "qdreamer_lab.workload.execution.decisions",
    "StepError": "qdreamer_lab.errors",
    "Store": "qdreamer_lab.workflow.steps.store",
    "WorkersLostError": "qdreamer_lab.errors",
    "cutting_problem": "qdreamer_lab.workload.addon.experiments",
    "expand": "qdreamer_lab.workload.addon.experiments",
    "find_cuts": "qdreamer_lab.workload.addon.find_cuts",
    "load_circuit": "qdreamer_lab.workload.qasm",
    "motif": "qdreamer_lab.workflow.registry",
    "pareto": "qdreamer_lab.workload.plan.find",
    "plan_cuts": "qdreamer_lab.workload.plan.find",
    "run_steps": "qdreamer_lab.workflow.steps.flow",
    "step": "qdreamer_lab.workflow.steps.step",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
