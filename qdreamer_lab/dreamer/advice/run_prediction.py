"""Running a circuit in a way that was predicted, and learning from it. It decides nothing."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from qdreamer_lab.dreamer.predict.place import pilots_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.estimator import CutEstimator
from qdreamer_lab.workload.execution.first_runs import has_run, names_of
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    import threading

    from qdreamer_lab.dreamer.advice.adviser import PlanAdviser
    from qdreamer_lab.dreamer.advice.pricer import Pricer
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.progress import Progress
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.job import CutJob

__all__ = ["Ran", "estimator_for", "learn", "run_prediction", "waited_for"]

_POLL_S = 0.05
"""How long it may go unnoticed that a run is to be given up."""

_WORKERS_ALONE = ("plan", "lower", "transpile", "contract")
"""Phases that take the same time on any number of workers, whatever code these have loaded."""


class Ran(NamedTuple):
    """A run that is over.

    Attributes:
        result: The `PubResult`.
        prediction: Of the way that it took in the end; its `first_run_s` is 0 unless this was the
            first run there.
    """

    result: Any
    prediction: Prediction


def run_prediction(
    prediction: Prediction,
    pub: Any,
    *,
    session: SessionLike | None,
    workers: int,
    precision: float | None = None,
    adviser: PlanAdviser | None = None,
    seed: int | None = None,
    progress: Progress | bool = False,
    stop: threading.Event | None = None,
    **options: Any,
) -> Ran:
    """Run a circuit in the way that was predicted.

    Args:
        prediction: Of the way to run.
        pub: The circuit, its observables and its parameter values.
        session: Where tasks run; None is this process.
        workers: How many there are.
        precision: Standard error wanted, if the PUB names none.
        adviser: Asked whether to plan anew when workers come or go; None keeps the plan.
        seed: As `CutEstimator` takes it.
        progress: As `CutEstimator` takes it.
        stop: Set from elsewhere to give up.
        **options: More arguments of `CutEstimator`.

    Raises:
        CancelledError: If `stop` was set.
        QDreamerError: If the run fails.
    """
    options |= {"seed": seed, "progress": progress, "adviser": adviser}
    estimator = estimator_for(prediction, session, workers, **options)
    first_s = prediction.first_run_s if _is_first(prediction, session) else 0.0
    result = waited_for(estimator.run([pub], precision=precision), stop)[0]
    taken = prediction if adviser is None else adviser.prediction
    same = first_s == taken.first_run_s
    return Ran(result, taken if same else replace(taken, first_run_s=first_s))


def _is_first(prediction: Prediction, session: SessionLike | None) -> bool:
    """Whether a run that is about to begin has to load code: others may have begun meanwhile."""
    way = prediction.configuration
    if session is None or way.in_process:
        return not has_run(None, ())
    return not has_run(session, names_of(pilots_of(session, way.on)))


def estimator_for(
    prediction: Prediction, session: SessionLike | None, workers: int, **options: Any
) -> CutEstimator:
    """The estimator that runs in the predicted way.

    Args:
        prediction: The prediction.
        session: Where tasks run; None is this process.
        workers: How many there are; the run is held to fewer if the prediction is for fewer.
        **options: More arguments of `CutEstimator`, such as `seed` or `progress`.
    """
    way = prediction.configuration
    used = None if way.in_process else session
    held = used is not None and way.workers < workers and way.cuts
    return CutEstimator(
        way.max_qubits,
        mode=way.mode,
        method=way.method,
        plan=prediction.given,
        session=used,
        on=way.on if used is not None else None,
        most_workers=way.workers if held else None,
        **options,
    )


def learn(pricer: Pricer, ran: Ran) -> bool:
    """Let Q-Dreamer learn from a run, as far as its workers stayed the same, and had code loaded.

    Returns:
        Whether it could: a run that is over is not lost because nothing can be learned from it, or
        because the profile cannot be kept.
    """
    decisions, prediction = RunRecord.of(ran.result, partial=True).decisions, ran.prediction
    first = not decisions and prediction.first_run_s > 0
    if (first and prediction.first_run_matters) or (decisions and not decisions[-1].replanned):
        # Tasks loaded code, or ran on more or fewer workers than the prediction is for.
        kept = tuple(account for account in prediction.accounts if account.name in _WORKERS_ALONE)
        prediction = replace(prediction, accounts=kept)
    with contextlib.suppress(QDreamerError, OSError):
        pricer.observe(ran.result, prediction)
        if first and not prediction.configuration.in_process and pricer.session is not None:
            pricer.observe_first_run(ran.prediction, RunRecord.of(ran.result).makespan_s)
        return True
    return False


def waited_for(job: CutJob, stop: threading.Event | None) -> Any:
    """The result of a job, which is cancelled when `stop` is set, or by an interrupt.

    Raises:
        CancelledError: At once when that happens; what a task has begun may go on for a moment.
    """
    try:
        while stop is not None and not job.wait(_POLL_S):
            if stop.is_set():
                raise CancelledError
    except BaseException:
        job.cancel()
        raise
    return job.result()
