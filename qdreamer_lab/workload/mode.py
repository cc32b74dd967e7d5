"""What a way to run circuits is, for all that need not know which: the protocol of a mode."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.estimate import Estimate
    from qdreamer_lab.workload.execution.execution import Execution
    from qdreamer_lab.workload.request import Request, RunSettings

__all__ = ["USUAL_METHOD", "Mode", "Runner"]

USUAL_METHOD = "statevector"
"""How circuits are simulated unless users say otherwise."""


class Runner(Protocol):
    """Answers requests in one mode, and keeps between them what can be used again, such as plans.

    Settings that a mode has no use for do not matter to it.
    """

    def run(self, request: Request, settings: RunSettings, execution: Execution) -> Estimate:
        """Estimate all values of a request.

        Raises:
            QDreamerError: If the request cannot be answered in this mode.
            CancelledError: If `execution.stop` was set.
            PlanDropped: If the plan is given up because workers came or went; what is known of the
                values by then goes with it.
        """


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run circuits.

    Attributes:
        name: What users call it as `mode=`; modes that share it differ in their method.
        method: How circuits are simulated, as users call it as `method=`.
        cuts: Circuits are cut where they must be, by a plan. Otherwise they run uncut, as one task
            each, and there is no other plan to change to.
        takes_shots: Values are estimated from shots, with standard errors. Otherwise they are exact
            to rounding.
        runner: Makes one who runs in this mode.
    """

    name: str
    method: str
    _: KW_ONLY
    cuts: bool
    takes_shots: bool = False
    runner: Callable[[], Runner]

    @property
    def exact(self) -> bool:
        """Whether values are exact to rounding."""
        return not self.takes_shots
