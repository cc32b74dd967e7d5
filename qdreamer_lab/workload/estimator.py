"""Expectation values of circuits that are too wide: cut, run the fragments, put them together.

A Qiskit estimator primitive. This module ties the steps together and keeps the clock; what the
steps do is said where they are.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, PrimitiveResult, PubResult
from qiskit.primitives.containers import DataBin
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qdreamer_lab.errors import CircuitError, PubError, QDreamerError
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.estimate import Estimate, Request, RunOptions
from qdreamer_lab.workload.exact_mode import run_exact
from qdreamer_lab.workload.exact_plans import ExactPlans
from qdreamer_lab.workload.job import CutJob
from qdreamer_lab.workload.observables import as_sparse, product_terms
from qdreamer_lab.workload.options import check_width

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from qdreamer_lab.workload.dispatch import Progress, SessionLike
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["CutEstimator"]

MODES = ("exact",)
DTYPES = ("complex128", "complex64")


class CutEstimator(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit has no types
    """Estimator for circuits wider than `max_qubits`.

    Args:
        max_qubits: greatest width of a fragment.
        mode: `"exact"`: fragments are simulated as state vectors and the values are exact to
            rounding, without shots; `stds` are zero and `precision` is met trivially.
        plan: cut like this instead of planning; it must be made for the circuits that are run, and
            for observables at least as wide. Its own `max_qubits` then counts.
        session: where fragments run as tasks; None runs them in this process.
        on: a kind of worker or a pilot's name, as `session.submit` takes it.
        dtype: of state vectors: `"complex128"`, or `"complex64"` for half the memory, more speed,
            and values that are good to about 1e-5.
        seed: makes planning repeatable; None is the same as 0.
        memory_limit_bytes: most memory that one fragment, or the reconstruction, may take; None
            is what is free where it runs.
        progress: called as `progress(done, total, row)` after every fragment, from the thread of
            the job.

    Raises:
        QDreamerError: if the mode or the dtype is unknown.
        PlanError: if `max_qubits` is not a positive integer.
    """

    def __init__(
        self,
        max_qubits: int,
        *,
        mode: str = "exact",
        plan: CutPlan | None = None,
        session: SessionLike | None = None,
        on: str | None = None,
        dtype: str = "complex128",
        seed: int | None = None,
        memory_limit_bytes: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        if mode not in MODES:
            raise QDreamerError(f"unknown mode {mode!r}; there is {', '.join(map(repr, MODES))}")
        if dtype not in DTYPES:
            raise QDreamerError(f"unknown dtype {dtype!r}; there is {', '.join(map(repr, DTYPES))}")
        check_width(max_qubits)
        self._mode = mode
        self._plans = ExactPlans()
        self._on = on
        self._dtype = dtype
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
            shape, and in `metadata`: `mode`; `plans`, one per group of terms that runs only its own
            light cone, and `plan`, that of the greatest; `plan_s`, `execute_s`, `contract_s`,
            `makespan_s` (wall seconds); `variants` (state vectors simulated); `shots`; `fragments`
            (a tuple of `FragmentRow`).

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
        start = time.perf_counter()
        which, observables = _pairing(pub)
        request = Request(
            tuple(pub.parameter_values.bind_all(pub.circuit).ravel()),
            tuple(product_terms(observable) for observable in observables),
            which.reshape(2, -1).T,
            pub.precision,
        )
        options = RunOptions(
            max_qubits=self._max_qubits,
            plan=self._plan,
            session=self._session,
            on=self._on,
            seed=self._seed,
            memory_limit_bytes=self._memory_limit_bytes,
            progress=self._progress,
            dtype=self._dtype,
            stop=stop,
        )
        estimate = run_exact(request, options, self._plans)
        shape = which.shape[1:]
        evs, stds = estimate.evs.reshape(shape), estimate.stds.reshape(shape)
        makespan_s = time.perf_counter() - start
        return PubResult(
            DataBin(evs=evs, stds=stds, shape=shape),
            metadata=_metadata(pub, self._mode, estimate, makespan_s),
        )


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


def _metadata(
    pub: EstimatorPub, mode: str, estimate: Estimate, makespan_s: float
) -> dict[str, Any]:
    return {
        "mode": mode,
        "target_precision": pub.precision,
        "plan": estimate.plans[0] if estimate.plans else None,
        "plans": estimate.plans,
        **estimate.seconds,
        "makespan_s": makespan_s,
        "variants": estimate.variants,
        "shots": estimate.shots,
        "fragments": estimate.rows,
        "circuit_metadata": pub.circuit.metadata,
    }
