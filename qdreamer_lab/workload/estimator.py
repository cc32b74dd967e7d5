"""Expectation values of circuits that are too wide: cut, run the fragments, put them together.

A Qiskit estimator primitive. This module ties the steps together and keeps the clock; what the
steps do is said where they are.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, PrimitiveResult, PubResult
from qiskit.primitives.containers import DataBin

from qdreamer_lab.errors import CircuitError, PubError, QDreamerError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.cut.options import check_width
from qdreamer_lab.workload.exact.plans import ExactPlans
from qdreamer_lab.workload.exact.run import run_exact
from qdreamer_lab.workload.execution.progress import ProgressLine
from qdreamer_lab.workload.execution.watch import Watch
from qdreamer_lab.workload.job import CutJob
from qdreamer_lab.workload.pubs import checked_pub, listed_pubs
from qdreamer_lab.workload.replan import estimated
from qdreamer_lab.workload.request import METHODS, Estimate, Request, RunOptions
from qdreamer_lab.workload.result import CutResult
from qdreamer_lab.workload.sampled.plans import BoundPlans
from qdreamer_lab.workload.sampled.run import run_sampled
from qdreamer_lab.workload.uncut.run import run_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from qiskit import QuantumCircuit
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.execution.decisions import Adviser, Decision
    from qdreamer_lab.workload.execution.dispatch import SessionLike
    from qdreamer_lab.workload.execution.progress import Progress
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["CutEstimator", "pairing"]

MODES = ("auto", "exact", "sampled")
DTYPES = ("complex128", "complex64")


class CutEstimator(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit has no types
    """Estimator for circuits wider than `max_qubits`.

    Args:
        max_qubits: greatest width of a fragment.
        mode: `"exact"`: fragments are simulated as state vectors and the values are exact to
            rounding, without shots; `stds` are zero and `precision` is met trivially.
            `"sampled"`: variants of the fragments are run for shots, on a QPU or on simulators that
            behave like one without noise; `stds` are standard errors. `"auto"`: sampled on a QPU
            or where `shots` are given, exact elsewhere.
        plan: cut like this instead of planning; it must be made for the circuits that are run, and
            for observables at least as wide. Its own `max_qubits` then counts.
        session: where fragments run as tasks; None runs them in this process.
        on: a kind of worker or a pilot's name, as `session.submit` takes it; `"qpu"` or the name of
            a QPU pilot for a device.
        backend: a Qiskit backend to run on in this process, without a session.
        fallback: where simulators may step in for what a device cannot run: a kind of worker or a
            pilot's name, such as `"cpu"` (without a session: this process). None lets it fail.
        shots: in sampled mode, shots for each set of parameter values, whatever the precision.
        default_precision: in sampled mode, the standard error wanted where none is given.
        max_shots: most shots to take for a precision, for each set of parameter values.
        dtype: of state vectors: `"complex128"`, or `"complex64"` for half the memory, more speed,
            and values that are good to about 1e-5.
        seed: makes planning and shots repeatable; None plans as 0 does and takes new shots each
            time.
        memory_limit_bytes: most memory that one fragment, or the reconstruction, may take; None
            is what is free where it runs.
        progress: called with a `Report` after every task, from the thread of the job; True prints
            one line that is redrawn.
        adviser: asked whether to plan the rest anew when workers come or go during a run, such as
            Q-Dreamer's; None keeps the plan and deals the rest out to the workers there are.
        method: how circuits are simulated in exact mode. `"statevector"` cuts where it must.
            `"matrix_product_state"` (Schmidt coefficients of weight 1e-22 dropped) and
            `"stabilizer"` (Clifford gates only) run circuits uncut, as one task each.
        most_workers: most workers that may be busy for this run at once; None for all.

    Raises:
        QDreamerError: if an argument makes no sense.
        PlanError: if `max_qubits` is not a positive integer.
    """

    def __init__(
        self,
        max_qubits: int,
        *,
        mode: str = "auto",
        plan: CutPlan | None = None,
        session: SessionLike | None = None,
        on: str | None = None,
        backend: BackendV2 | None = None,
        fallback: str | None = None,
        shots: int | None = None,
        default_precision: float = 1 / 64,
        max_shots: int = 10_000_000,
        dtype: str = "complex128",
        seed: int | None = None,
        memory_limit_bytes: int | None = None,
        progress: Progress | bool = False,
        adviser: Adviser | None = None,
        method: str = "statevector",
        most_workers: int | None = None,
    ) -> None:
        check_width(max_qubits)
        _check_choice("mode", mode, MODES)
        _check_choice("method", method, METHODS)
        _check_choice("dtype", dtype, DTYPES)
        if method != METHODS[0]:
            _check_method(method, mode, dtype, sampled=shots is not None or backend is not None)
        counts = {"shots": shots, "max_shots": max_shots, "most_workers": most_workers}
        for name, value in counts.items():
            if value is None and name != "max_shots":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise QDreamerError(f"{name}={value!r}: a whole number of at least 1")
        if not default_precision > 0:
            raise QDreamerError(f"default_precision={default_precision!r}: more than zero")
        if backend is not None and session is not None:
            raise QDreamerError(
                "backend= runs in this process and session= on its pilots; give one of them (a "
                'session runs on a QPU with add_pilot("qpu://...") and on="qpu")'
            )
        if mode == "exact" and (backend is not None or shots is not None):
            raise QDreamerError("mode='exact' takes no shots and no backend; use mode='sampled'")
        self._mode = mode
        self._adviser = adviser
        self._default_precision = default_precision
        self._seen: tuple[QuantumCircuit | None, int] = (None, 0)
        self._exact_plans = ExactPlans()
        self._sampled_plans = BoundPlans()
        self._options = RunOptions(
            max_qubits=max_qubits,
            plan=plan,
            session=session,
            on=on,
            seed=0 if seed is None else seed,
            memory_limit_bytes=memory_limit_bytes,
            progress=ProgressLine() if progress is True else progress or None,
            dtype=dtype,
            stop=threading.Event(),
            shots=shots,
            max_shots=max_shots,
            entropy=() if seed is None else (seed,),
            backend=backend,
            fallback=fallback,
            method=method,
            most_workers=most_workers,
        )

    @property
    def default_precision(self) -> float:
        """The standard error wanted of PUBs that name none, as Qiskit's estimators have it."""
        return self._default_precision

    @property
    def seed(self) -> int | None:
        """The seed that was given, as Qiskit's estimators have it; None if there was none."""
        return self._options.entropy[0] if self._options.entropy else None

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> CutJob:
        """Estimate every PUB.

        Args:
            pubs: what Qiskit's estimators take.
            precision: standard error wanted of PUBs that name none; exact mode needs none.

        Returns:
            A job whose result holds, per PUB, `data.evs` and `data.stds` of the PUB's broadcast
            shape, and in `metadata`: `mode`; `method`; `plans`, in exact mode one per group of
            terms that runs only its own light cone, and `plan`, that of the greatest; `plan_s`,
            `transpile_s`, `execute_s`, `contract_s`, `makespan_s` (wall seconds); `variants`
            (state vectors or circuits run); `shots`; `fragments` (a tuple of `FragmentRow`);
            `notes`, what to know about the run; `decisions`, a `Decision` for each time that
            workers came or went. If one of them was to plan anew, all but `makespan_s` is of the
            last plan, and `dropped_s` is the wall time under those before.

        Raises:
            PubError: if a PUB does not fit together, or there is no list of them.
            CircuitError: if a circuit cannot be cut, such as one with measurements.
        """
        wanted = self._default_precision if precision is None else precision
        checked = [self._coerced(pub, wanted, k) for k, pub in enumerate(listed_pubs(pubs))]
        if self._options.shots is None:
            self._check_precisions(checked)
        return CutJob(
            lambda stop: PrimitiveResult(
                [self._run_pub(k, pub, stop) for k, pub in enumerate(checked)],
                metadata={"version": 2},
            )
        )

    def _check_precisions(self, pubs: Sequence[EstimatorPub]) -> None:
        """Refuse what no number of shots reaches, before anything is planned."""
        for k, pub in enumerate(pubs):
            if pub.precision > 0:
                continue
            if self._mode == "sampled" or (self._mode == "auto" and self._backend() is not None):
                raise PubError(
                    f"PUB {k}: precision={pub.precision}: values from shots need more than zero; "
                    "for exact values use mode='exact', without a backend or QPU"
                )

    def _coerced(self, pub: Any, precision: float | None, number: int) -> EstimatorPub:
        """Check a PUB before anything runs; a circuit that was checked last time is known."""
        checked = checked_pub(pub, precision, number)
        circuit, length = checked.circuit, len(checked.circuit.data)
        if self._seen[0] is not circuit or self._seen[1] != length:
            _check_circuit(checked, number)
            self._seen = (circuit, length)
        return checked

    def _run_pub(self, number: int, pub: EstimatorPub, stop: threading.Event) -> PubResult:
        start = time.perf_counter()
        which, observables = pairing(pub)
        request = Request(
            pub.circuit,
            _values(pub),
            tuple(pub.parameter_values.bind_all(pub.circuit).ravel()),
            tuple(product_terms(observable) for observable in observables),
            which.reshape(2, -1).T,
            pub.precision,
        )
        given = self._options
        fresh = given.entropy or (secrets.randbits(62),)
        watch = Watch(self._adviser)
        options = replace(
            given, stop=stop, entropy=(*fresh, number), backend=self._backend(), watch=watch
        )
        mode = self._mode
        if mode == "auto":
            mode = "sampled" if options.backend is not None or options.shots else "exact"
        if options.method != METHODS[0]:
            mode, estimate = "exact", run_whole(request, options)
        else:
            mode, estimate = estimated(request, options, mode, self._run_planned)
        shape = which.shape[1:]
        evs, stds = estimate.evs.reshape(shape), estimate.stds.reshape(shape)
        makespan_s = time.perf_counter() - start
        return CutResult(
            DataBin(evs=evs, stds=stds, shape=shape),
            metadata=_metadata(pub, mode, options.method, estimate, makespan_s, watch.decisions),
        )

    def _run_planned(
        self, mode: str, request: Request, options: RunOptions, first: bool
    ) -> Estimate:
        """Run under one plan; what is kept of plans is for the way that was asked for."""
        if mode == "exact":
            return run_exact(request, options, self._exact_plans if first else None)
        return run_sampled(request, options, self._sampled_plans if first else None)

    def _backend(self) -> BackendV2 | None:
        """The device that runs circuits, if one does."""
        given = self._options
        whole = given.method != METHODS[0]
        if given.session is None or given.on is None or self._mode == "exact" or whole:
            return given.backend
        found: BackendV2 | None = given.session.backend(given.on)
        return found


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise QDreamerError(f"unknown {name} {value!r}; there is {', '.join(map(repr, choices))}")


def _check_method(method: str, mode: str, dtype: str, *, sampled: bool) -> None:
    """Refuse what only state vectors can do."""
    if mode == "sampled" or sampled:
        raise QDreamerError(f"method={method!r} gives exact values: no shots, no backend")
    if dtype != "complex128":
        raise QDreamerError(f"method={method!r} knows no dtype={dtype!r}")


def _values(pub: EstimatorPub) -> tuple[dict[str, float], ...]:
    """Every parameter's value by name, for each binding."""
    names = [parameter.name for parameter in pub.circuit.parameters]
    rows = pub.parameter_values.as_array(pub.circuit.parameters).reshape(
        pub.parameter_values.size, len(names)
    )
    return tuple(dict(zip(names, row, strict=True)) for row in rows.tolist())


def _check_circuit(pub: EstimatorPub, number: int) -> None:
    """Refuse a circuit that has no normal form."""
    values = pub.parameter_values.ravel()
    if values.size:
        try:
            to_blocks(values.bind(pub.circuit, (0,)))
        except CircuitError as error:
            raise CircuitError(f"PUB {number}: {error}") from error


def pairing(pub: EstimatorPub) -> tuple[NDArray[np.int64], list[Any]]:
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
    pub: EstimatorPub,
    mode: str,
    method: str,
    estimate: Estimate,
    makespan_s: float,
    decisions: tuple[Decision, ...],
) -> dict[str, Any]:
    return {
        "observables": pub.observables,
        "parameter_values": pub.parameter_values,
        "mode": mode,
        "method": method,
        "target_precision": pub.precision,
        "plan": estimate.plans[0] if estimate.plans else None,
        "plans": estimate.plans,
        **estimate.seconds,
        "makespan_s": makespan_s,
        "variants": estimate.variants,
        "shots": estimate.shots,
        "fragments": estimate.rows,
        "notes": estimate.notes,
        "decisions": decisions,
        "circuit_metadata": pub.circuit.metadata,
    }
