"""What advice needs of the engine: places, plans, prices, and somewhere to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdreamer_lab.dreamer.model.case import Case
    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["Pricer"]


class Pricer(Protocol):
    """Prices ways to run circuits; `dreamer.engine` is the one that there is."""

    @property
    def session(self) -> SessionLike | None:
        """Where fragments would run; None is this process."""

    def place(self, on: str | None) -> Place:
        """Where a run would happen."""

    def places(self, on: str | Sequence[str] | None) -> list[tuple[str | None, Place]]:
        """All places that `on` stands for, each with what it is called; one for each device."""

    def gpu_place(self) -> Place | None:
        """Where runs on GPUs would happen; None if no worker has one."""

    def plan(self, wanted: Wanted, configuration: Configuration) -> CutPlan | None:
        """The plan that a run has to be given; None if it finds its own."""

    def case(
        self,
        wanted: Wanted,
        configuration: Configuration,
        place: Place,
        allowance_s: float,
        *,
        plan: CutPlan | None = None,
    ) -> Case:
        """Plan a run."""

    def price_case(
        self,
        case: Case,
        wanted: Wanted,
        configuration: Configuration,
        place: Place,
        plan: CutPlan | None = None,
    ) -> Prediction:
        """Price a run that is planned."""

    def observe(self, result: Any, prediction: Prediction | None = None) -> object:
        """Learn from a run."""

    def observe_first_run(self, prediction: Prediction, makespan_s: float) -> None:
        """Learn what loading code takes from the first run in a place."""

    def elsewhere(self, session: SessionLike, on: str | None) -> Pricer:
        """One for another session, with what is known of the machine behind `on`."""
