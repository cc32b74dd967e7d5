"""What has to be known of a mode so that it can be predicted, and under which conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.dreamer.device.cost import DeviceShape
    from qdreamer_lab.dreamer.model.belief import Belief
    from qdreamer_lab.dreamer.model.case import Case
    from qdreamer_lab.dreamer.model.probe import Probe
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.mode import Mode
    from qdreamer_lab.workload.request import RunSettings

__all__ = ["Conditions", "ModeCost"]


@dataclass(frozen=True, eq=False, slots=True)
class Conditions:
    """What a case depends on besides the circuit and the settings of the run.

    Attributes:
        cores: That a task may use.
        belief: The coefficients, which say what working something out would take.
        allowance_s: How long the variances of shots may be worked on.
        shots: To be taken, whatever the precision; None to go by precision.
        device: What runs circuits; None for simulators.
        gpu: Whether a GPU holds the states of fragments.
    """

    cores: int
    belief: Belief
    allowance_s: float
    shots: int | None = None
    device: DeviceShape | None = None
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class ModeCost:
    """A mode as far as its cost goes.

    Attributes:
        mode: The mode.
        case: Plans a run, and tells what it would do.
        worker_probes: Short calls of what its tasks do, for a worker with so many cores.
        local_probes: Short calls of what is done with the results of tasks.
    """

    mode: Mode
    case: Callable[[Wanted, RunSettings, Execution, Conditions], Case]
    worker_probes: Callable[[int], list[Probe]]
    local_probes: Callable[[], list[Probe]]
