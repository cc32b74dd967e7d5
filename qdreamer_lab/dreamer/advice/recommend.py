"""From a circuit to a recommendation that can be run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.adviser import PlanAdviser
from qdreamer_lab.dreamer.advice.ranked_ways import ranked_ways
from qdreamer_lab.dreamer.advice.recommendation import Recommendation
from qdreamer_lab.dreamer.advice.run_prediction import Ran, learn, run_prediction
from qdreamer_lab.dreamer.prediction_request import request_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.advice.limits import Limits
    from qdreamer_lab.dreamer.advice.pricer import Pricer
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.execution.session import SessionLike

__all__ = ["recommended"]

_PRECISION = 1 / 64
"""Standard error that is good enough where nobody asked for another."""


def recommended(
    pricer: Pricer,
    circuit: QuantumCircuit,
    observables: Any,
    parameter_values: Any = None,
    *,
    precision: float | None,
    limits: Limits,
    on: str | Sequence[str] | None,
    methods: Collection[str],
    in_process: bool,
    prefer: str = "time",
) -> Recommendation:
    """The best ways to run a circuit; `QDreamer.recommend` says what each argument is."""
    good = _PRECISION if precision is None else precision
    wanted = request_of(circuit, observables, good, parameter_values)
    found = ranked_ways(
        pricer,
        wanted,
        limits=limits,
        on=on,
        methods=methods,
        in_process=in_process,
        exact_first=precision is None,
        prefer=prefer,
    )
    pub = (circuit.copy(), observables) + (() if parameter_values is None else (parameter_values,))
    return Recommendation(
        predictions=found.predictions,
        limits=found.limits,
        refused=found.refused,
        num_qubits=found.num_qubits,
        prefer=prefer,
        queues=found.queues,
        runner=partial(_run, pricer, wanted, pub, limits),
    )


def _run(
    pricer: Pricer,
    wanted: Wanted,
    pub: tuple[Any, ...],
    limits: Limits,
    prediction: Prediction,
    *,
    precision: float | None = None,
    session: SessionLike | None = None,
    **options: Any,
) -> Ran:
    """Run in a predicted way, with advice when workers come or go, and learn from it.

    Args:
        pricer: Predicts and learns.
        wanted: What was asked for.
        pub: The same as a PUB.
        limits: What a run may take.
        prediction: Of the way.
        precision: Another standard error than was asked for.
        session: Where tasks run, if not where they were predicted to.
        **options: More arguments of `run_prediction`.
    """
    precision = wanted.request.precision if precision is None else precision
    place = pricer.place(prediction.configuration.on)
    adviser = PlanAdviser(
        *(pricer, wanted.circuit, wanted.given, prediction), precision=precision, limits=limits
    )
    ran = run_prediction(
        prediction,
        pub,
        session=place.session if session is None else session,
        workers=place.workers,
        precision=precision,
        adviser=adviser,
        **options,
    )
    if wanted.sets == 1:  # of several, only the longest was looked at
        learn(pricer, ran)
    return ran
