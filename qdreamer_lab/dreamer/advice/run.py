"""From a prediction to the run that it is of. It decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qdreamer_lab.workload.estimator import CutEstimator

if TYPE_CHECKING:
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["estimator_for"]


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
    held = used is not None and way.workers < workers and way.method == "statevector"
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
