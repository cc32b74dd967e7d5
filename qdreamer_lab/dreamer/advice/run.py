"""From a prediction to the run that it is of, and what is learned from that. It decides nothing."""

from __future__ import annotations

import contextlib
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.estimator import CutEstimator
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
"""Phases that take the same time on any number of workers."""


class Ran(NamedTuple):
    """A run that is over.

    Attributes:
        result: the `PubResult`.
        prediction: of the way that it took in the end.
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
) -> Ran:
    """Run a circuit in the way that was predicted.

    Args:
        prediction: of the way to run.
        pub: the circuit, its observables and its parameter values.
        session: where tasks run; None is this process.
        workers: how many there are.
        precision: standard error wanted, if the PUB names none.
        adviser: asked whether to plan anew when workers come or go; None keeps the plan.
        seed: as `CutEstimator` takes it.
        progress: as `CutEstimator` takes it.
        stop: set from elsewhere to give up.

    Raises:
        CancelledError: if `stop` was set.
        QDreamerError: if the run fails.
    """
    estimator = estimator_for(
        prediction, session, workers, seed=seed, progress=progress, adviser=adviser
    )
    result = waited_for(estimator.run([pub], precision=precision), stop)[0]
    return Ran(result, prediction if adviser is None else adviser.prediction)


def estimator_for(
    one: Prediction, session: SessionLike | None, workers: int, **options: Any
) -> CutEstimator:
    """The estimator that runs in the predicted way.

    Args:
        one: the prediction.
        session: where tasks run; None is this process.
        workers: how many there are; the run is held to fewer if the prediction is for fewer.
        options: more arguments of `CutEstimator`, such as `seed` or `progress`.
    """
    way = one.configuration
    used = None if way.in_process else session
    held = used is not None and way.workers < workers and way.cuts
    return CutEstimator(
        way.max_qubits,
        mode=way.mode,
        method=way.method,
        plan=one.given,
        session=used,
        on=way.on if used is not None else None,
        most_workers=way.workers if held else None,
        **options,
    )


def learn(pricer: Pricer, ran: Ran) -> bool:
    """Let Q-Dreamer learn from a run, as far as its workers stayed the same.

    Returns:
        Whether it could: a run that is over is not lost because nothing can be learned from it, or
        because the profile cannot be kept.
    """
    decisions, one = RunRecord.of(ran.result, partial=True).decisions, ran.prediction
    if decisions and not decisions[-1].replanned:
        # Tasks ran on more or fewer workers than the prediction is for.
        kept = tuple(account for account in one.accounts if account.name in _WORKERS_ALONE)
        one = replace(one, accounts=kept)
    with contextlib.suppress(QDreamerError, OSError):
        pricer.observe(ran.result, one)
        return True
    return False


def waited_for(job: CutJob, stop: threading.Event | None) -> Any:
    """The result of a job, which is cancelled when `stop` is set.

    Raises:
        CancelledError: at once when that happens; what a task has begun may go on for a moment.
    """
    while stop is not None and not job.wait(_POLL_S):
        if stop.is_set():
            job.cancel()
            raise CancelledError
    return job.result()
