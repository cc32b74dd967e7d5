"""Ways to run a circuit, ranked, with the reasons in words, and running them.

It must not price anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.ranking import Ranking
from qdreamer_lab.dreamer.advice.reasons import explained
from qdreamer_lab.dreamer.report_text import html_table, price_text, seconds_text, text_table
from qdreamer_lab.workload.execution.memory import readable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from qdreamer_lab.dreamer.advice.run_prediction import Ran
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.progress import Progress
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["Recommendation"]


@dataclass(frozen=True, eq=False, slots=True)
class Recommendation(Ranking):
    """Ways to run a circuit.

    Attributes:
        predictions: Those that keep within the limits, the best first.
        limits: What a run may take.
        refused: Ways that cannot be taken.
        num_qubits: Of the circuit.
        prefer: What comes first: "time", "fidelity" or "cost".
        queues: Of each QPU that was weighed, seconds that its first job waits.
        runner: Runs the circuit in a predicted way, learns from it, and gives the result and the
            prediction of the way that the run took in the end.
    """

    runner: Callable[..., Ran] = field(repr=False)

    def run(
        self,
        prediction: Prediction | None = None,
        *,
        seed: int | None = None,
        progress: Progress | bool = False,
        stop: threading.Event | None = None,
        precision: float | None = None,
        session: SessionLike | None = None,
        **options: Any,
    ) -> Any:
        """Do it, and learn from it.

        Args:
            prediction: One of `predictions`; the best one by default.
            seed: As `CutEstimator` takes it.
            progress: As `CutEstimator` takes it.
            stop: Set from elsewhere to give up.
            precision: Standard error wanted, if not the one that was asked for.
            session: Where tasks run, if not where they were predicted to.
            **options: More arguments of `CutEstimator` that leave the way as it is: `mitigation`,
                `mid_circuit`, `fallback`.

        Returns:
            The `PubResult` of a `CutEstimator`.

        Raises:
            CancelledError: If `stop` was set.
            QDreamerError: If the run fails.
        """
        return self.runner(
            self.best if prediction is None else prediction,
            seed=seed,
            progress=progress,
            stop=stop,
            precision=precision,
            session=session,
            **options,
        ).result

    def explain(self) -> str:
        """The reasons in plain words."""
        return explained(self)

    def __repr__(self) -> str:
        return f"<Recommendation: {self.best.title}: {self.best.makespan_s:.3g} s>"

    def __str__(self) -> str:
        return self.explain() + "\n\n" + text_table(*self._table)

    def _repr_html_(self) -> str:
        words = "<br>".join(map(escape, self.explain().splitlines()))
        return f"<p>{words}</p>" + html_table("", *self._table)

    @property
    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows; errors where they decide, or tell several QPUs apart."""
        columns, rows = _COLUMNS, _rows(self.predictions)
        if self.prefer != "fidelity" and len(self.queues) < 2:
            return columns, rows
        errors = ["" if way.error is None else f"{way.error:.2g}" for way in self.predictions]
        return (*columns, "error"), [(*row, e) for row, e in zip(rows, errors, strict=True)]


_COLUMNS = ("way", "time", "80 % interval", "memory", "shots", "standard error", "cuts", "cost")


def _rows(predictions: tuple[Prediction, ...]) -> list[tuple[str, ...]]:
    return [
        (
            prediction.title,
            seconds_text(prediction.makespan_s),
            " to ".join(map(seconds_text, prediction.interval)),
            readable(prediction.memory_bytes),
            f"{prediction.shots:,}" if prediction.shots else "",
            f"{prediction.standard_error:.2g}" if prediction.shots else "exact",
            str(prediction.plan.num_cuts if prediction.plan is not None else 0),
            price_text(prediction.cost, prediction.currency),
        )
        for prediction in predictions
    ]
