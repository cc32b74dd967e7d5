"""Expectation values of circuits that are too wide: cut, run the fragments, put them together.

A Qiskit estimator primitive. This module ties the steps together and keeps the clock; what the
steps do is said where they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, PrimitiveResult, PubResult
from qiskit.primitives.containers import DataBin
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qdreamer_lab.errors import CircuitError, PlanError, PubError, QDreamerError
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.dispatch import run_jobs
from qdreamer_lab.workload.exact import ExactRun, prepare
from qdreamer_lab.workload.job import CutJob
from qdreamer_lab.workload.observables import Factors, ProductTerm, as_sparse, product_terms
from qdreamer_lab.workload.options import SearchOptions, check_width
from qdreamer_lab.workload.planner import plan_blocks

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.dispatch import FragmentRow, Progress, SessionLike
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["CutEstimator"]

MODES = ("exact",)


@dataclass(frozen=True, eq=False, slots=True)
class _Binding:
    """One set of parameter values: its plan, and the terms wanted of it, ready to run."""

    plan: CutPlan
    terms: dict[Factors, int]
    run: ExactRun


class CutEstimator(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit has no types
    """Estimator for circuits wider than `max_qubits`.

    Args:
        max_qubits: greatest width of a fragment.
        mode: `"exact"`: fragments are simulated as state vectors and the values are exact to
            rounding, without shots; `stds` are zero and `precision` is met trivially.
        plan: cut like this instead of planning; it must be made for the circuits that are run, and
            for observables at least as wide. Its own `max_qubits` then counts.
        session: where fragments run as tasks; None runs them in this process.
        seed: makes planning repeatable; None is the same as 0.
        memory_limit_bytes: most memory that one fragment, or the reconstruction, may take; None
            is what is free where it runs.
        progress: called as `progress(done, total, row)` after every fragment, from the thread of
            the job.

    Raises:
        QDreamerError: if the mode is unknown.
        PlanError: if `max_qubits` is not a positive integer.
    """

    def __init__(
        self,
        max_qubits: int,
        *,
        mode: str = "exact",
        plan: CutPlan | None = None,
        session: SessionLike | None = None,
        seed: int | None = None,
        memory_limit_bytes: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if mode not in MODES:
            raise QDreamerError(f"unknown mode {mode!r}; there is {', '.join(map(repr, MODES))}")
        check_width(max_qubits)
        self._max_qubits = max_qubits
        self._plan = plan
        self._session = session
        self._seed = 0 if seed is None else seed
        self._memory_limit_bytes = memory_limit_bytes
        self._progress = progress

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> CutJob:
        """Estimate every PUB.

        Returns:
            A job whose result holds, per PUB, `data.evs` and `data.stds` of the PUB's broadcast
            shape, and in `metadata`: `plan` (of the first binding), `plan_s`, `simulate_s`,
            `contract_s` (wall seconds), `fragments` (a tuple of `FragmentRow`).

        Raises:
            PubError: if a PUB does not fit together.
            CircuitError: if a circuit cannot be cut, such as one with measurements.
        """
        checked = [_coerced(pub, precision, k) for k, pub in enumerate(pubs)]
        return CutJob(
            lambda stop: PrimitiveResult(
                [self._run_pub(pub, stop) for pub in checked], metadata={"version": 2}
            )
        )

    def _run_pub(self, pub: EstimatorPub, stop: threading.Event) -> PubResult:
        clock = [time.perf_counter()]
        which, observables = _pairing(pub)
        terms = [product_terms(observable) for observable in observables]
        bindings = self._prepare(pub, which, terms)
        clock.append(time.perf_counter())
        jobs = [(k, job) for k, binding in enumerate(bindings) for job in binding.run.jobs]
        results, rows = run_jobs(
            jobs,
            self._session,
            memory_limit_bytes=self._memory_limit_bytes,
            stop=stop,
            progress=self._progress,
        )
        clock.append(time.perf_counter())
        tensors = iter([result.tensors for result in results])
        values = [
            binding.run.values([next(tensors) for _ in binding.run.jobs], self._memory_limit_bytes)
            for binding in bindings
        ]
        evs = _summed(which, terms, bindings, values)
        clock.append(time.perf_counter())
        data = DataBin(evs=evs, stds=np.zeros_like(evs), shape=evs.shape)
        plan = bindings[0].plan if bindings else None
        return PubResult(data, metadata=_metadata(pub, plan, rows, np.diff(clock)))

    def _prepare(
        self, pub: EstimatorPub, which: NDArray[np.int64], terms: list[tuple[ProductTerm, ...]]
    ) -> list[_Binding]:
        """Plan once; later bindings keep the labels as long as they have the same blocks."""
        bindings: list[_Binding] = []
        plan = self._plan
        for k, circuit in enumerate(pub.parameter_values.bind_all(pub.circuit).ravel()):
            plan = self._replanned(circuit, pub.observables, plan)
            wanted: dict[Factors, int] = {}
            for observable in np.unique(which[1][which[0] == k]).tolist():
                for term in terms[observable]:
                    wanted.setdefault(term.factors, len(wanted))
            bindings.append(_Binding(plan, wanted, prepare(plan, list(wanted))))
        return bindings

    def _replanned(
        self, circuit: QuantumCircuit, observables: object, known: CutPlan | None
    ) -> CutPlan:
        """The known plan with this circuit's matrices, if it has the same blocks; or a new one."""
        merge = known is None or known.blocks.merged
        blocks = to_blocks(circuit, observables, merge=merge)
        if known is not None and np.array_equal(blocks.pairs, known.blocks.pairs):
            return known.with_blocks(blocks)
        if self._plan is None:
            return plan_blocks(blocks, self._max_qubits, SearchOptions(seed=self._seed))
        whole = to_blocks(circuit, merge=merge)
        if not np.array_equal(whole.pairs, self._plan.blocks.pairs):
            raise PlanError("the plan was made for another circuit, or for narrower observables")
        return self._plan.with_blocks(whole)


def _coerced(pub: Any, precision: float | None, number: int) -> EstimatorPub:
    """Check a PUB before anything runs."""
    try:
        checked = EstimatorPub.coerce(pub, precision)
    except (TypeError, ValueError) as error:
        raise PubError(f"PUB {number}: {error}") from error
    values = checked.parameter_values.ravel()
    if not np.isfinite(values.as_array()).all():
        raise PubError(f"PUB {number}: parameter values must be finite numbers")
    if values.size:
        try:
            to_blocks(values.bind(checked.circuit, (0,)))
        except CircuitError as error:
            raise CircuitError(f"PUB {number}: {error}") from error
    return checked


def _pairing(pub: EstimatorPub) -> tuple[NDArray[np.int64], list[Any]]:
    """Which binding meets which observable.

    Returns:
        (2, *shape) int64, shape being the PUB's: flat index of the binding and of the observable;
        and the observables they count.
    """
    values, observables = pub.parameter_values, pub.observables
    one = np.arange(values.size, dtype=np.int64).reshape(values.shape)
    two = np.arange(observables.size, dtype=np.int64).reshape(observables.shape)
    return np.stack(np.broadcast_arrays(one, two)), as_sparse(observables, pub.circuit.num_qubits)


def _summed(
    which: NDArray[np.int64],
    terms: list[tuple[ProductTerm, ...]],
    bindings: list[_Binding],
    values: list[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Put the terms of every observable together, in the PUB's shape."""
    evs = np.zeros(which.shape[1:])
    for index in np.ndindex(evs.shape):
        binding, observable = which[(slice(None), *index)].tolist()
        place = bindings[binding].terms
        evs[index] = sum(
            term.coefficient * values[binding][place[term.factors]] for term in terms[observable]
        )
    return evs


def _metadata(
    pub: EstimatorPub,
    plan: CutPlan | None,
    rows: list[FragmentRow],
    seconds: NDArray[np.float64],
) -> dict[str, Any]:
    plan_s, simulate_s, contract_s = seconds.tolist()
    return {
        "mode": "exact",
        "target_precision": pub.precision,
        "plan": plan,
        "plan_s": plan_s,
        "simulate_s": simulate_s,
        "contract_s": contract_s,
        "fragments": tuple(rows),
        "circuit_metadata": pub.circuit.metadata,
    }
