"""Expectation values of circuits that are too wide: cut, run the fragments, put them together.

A Qiskit estimator primitive. This module ties the steps together and keeps the clock; what the
steps do is said where they are.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from qiskit.primitives import BaseEstimatorV2, PrimitiveResult, PubResult
from qiskit.primitives.containers import DataBin

from qdreamer_lab.errors import CircuitError, PubError, QDreamerError
from qdreamer_lab.workload.arguments import (
    PREFERENCES,
    Places,
    check_above_zero,
    check_advised,
    check_choice,
    check_counts,
    check_counts_if_given,
    check_devices_meant,
    check_given,
    check_places,
    read_device_options,
)
from qdreamer_lab.workload.bindings import first_bound
from qdreamer_lab.workload.circuit.blocks import check_circuit
from qdreamer_lab.workload.cut.widths import read_devices
from qdreamer_lab.workload.dry_run import Trial, dry_run
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.execution.progress import ProgressLine
from qdreamer_lab.workload.execution.watch import Watch
from qdreamer_lab.workload.job import CutJob
from qdreamer_lab.workload.modes import AUTO, METHODS, MODE_NAMES, mode_of, modes_among
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.pubs import checked_pub, listed_pubs, owned, request_of, uncut_work
from qdreamer_lab.workload.record import RunRecord
from qdreamer_lab.workload.replan import estimated
from qdreamer_lab.workload.request import DTYPES, RunSettings
from qdreamer_lab.workload.result import CutResult
from qdreamer_lab.workload.sampled.noise_levels import levels_of
from qdreamer_lab.workload.sampled.plans import BoundPlans
from qdreamer_lab.workload.sampled.run import prepared

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping, Sequence

    from qiskit import QuantumCircuit
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.circuit.lightcone import GateList
    from qdreamer_lab.workload.cut.widths import Devices
    from qdreamer_lab.workload.dry_run import CutDryRun
    from qdreamer_lab.workload.execution.decisions import Adviser
    from qdreamer_lab.workload.execution.device import Device, Terms
    from qdreamer_lab.workload.execution.progress import Progress
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.mode import Mode, Runner

__all__ = ["CutEstimator"]

_MOMENT = 2.0**25
"""Amplitudes, times gates and terms, that are a moment's work: ten milliseconds on one core."""


class _Seen(NamedTuple):
    """The circuit that was checked last, as long as it was then, and how many gates it has."""

    circuit: QuantumCircuit
    length: int
    num_gates: int


class _Checked(NamedTuple):
    """A PUB that was checked.

    Attributes:
        pub: The PUB.
        gates: Those of its circuit with the first values, if they were looked at.
        num_gates: How many there are.
    """

    pub: EstimatorPub
    gates: GateList | None
    num_gates: int


class CutEstimator(BaseEstimatorV2):  # type: ignore[misc]  # Qiskit has no types
    """Estimator for circuits wider than `max_qubits`.

    Args:
        max_qubits: Greatest width of a fragment; or a list of the widths of devices, or a dict with
            the number of devices of each width, on each of which a plan has one fragment at most.
        mode: `"exact"`: fragments are simulated as state vectors and the values are exact to
            rounding, without shots; `stds` are zero and `precision` is met trivially.
            `"sampled"`: variants of the fragments are run for shots, on a QPU or on simulators that
            behave like one without noise; `stds` are standard errors. `"auto"`: sampled on a QPU
            or where `shots` are given, exact elsewhere.
        plan: Cut like this instead of planning; it must be made for the circuits that are run, and
            for observables at least as wide. Its own `max_qubits` then counts.
        session: Where fragments run as tasks; None runs them in this process.
        on: A kind of worker or a pilot's name, as `session.submit` takes it; `"qpu"` or the name of
            a QPU pilot for a device, or a list of such names for several devices, each of which
            gets the fragments that it fits. What one refuses or fails at goes to the next. Without
            a session there are `"cpu"` and `"gpu"` alone, those of this process.
        backend: A Qiskit backend to run on in this process, without a session, or several.
        prefer: Which of several devices run a fragment that fits them: `"time"`, all, so that they
            are done at about the same time by shots' lengths and queues; `"fidelity"`, that where
            fewest shots will have errors, by what it says of gates, readout and idle qubits;
            `"cost"`, the cheapest by `terms`. Equals (errors within a twentieth) share.
        terms: What devices' owners ask, such as `DeviceTerms`, and how long they let wait: one for
            all, or by the names of devices or pilots.
        mid_circuit: Whether devices measure in the middle of circuits, as half the circuits of some
            gate cuts do; otherwise outcomes wait for the end, each on one more qubit. None asks the
            device, and takes it for able if it does not say.
        mitigation: What is done about a device's errors, one or several. `"readout"`: a tenth of
            the shots shows how often each qubit is misread, which is taken out of what is read.
            `"twirling"`: shots of every circuit are spread over up to 16 with random Paulis around
            `cx`, `cz`, `ecr` and `iswap` gates, which undo each other. `"zne"`: a quarter of the
            shots is of circuits with every two-qubit gate done three times (qiskit-mitigation's
            folding), and values are extrapolated to no noise along a line; standard errors double
            at equal shots. Error bars include all three, but not how far noise is from a line.
        fallback: Where simulators may step in for what a device cannot run: a kind of worker or a
            pilot's name, such as `"cpu"` (without a session: this process). None lets it fail.
        shots: In sampled mode, shots for each set of parameter values, whatever the precision.
        default_precision: In sampled mode, the standard error wanted where none is given.
        max_shots: Most shots to take for a precision, for each set of parameter values.
        dtype: Of state vectors: `"complex128"`, or `"complex64"` for half the memory, more speed,
            and values that are good to about 1e-5.
        seed: Makes planning and shots repeatable; None plans as 0 does and takes new shots each
            time.
        memory_limit_bytes: Most memory that one fragment, or the reconstruction, may take; None
            is what is free where it runs.
        progress: Called with a `Report` after every task, from the thread of the job; True prints
            one line that is redrawn.
        adviser: Asked whether to plan the rest anew when workers come or go during a run, such as
            Q-Dreamer's; None keeps the plan and deals the rest out to the workers there are.
        method: How circuits are simulated in exact mode. `"statevector"` cuts where it must.
            `"matrix_product_state"` (Schmidt coefficients of weight 1e-22 dropped) and
            `"stabilizer"` (Clifford gates only) run circuits uncut, as one task each.
        most_workers: Most workers that may be busy for this run at once; None for all.

    Raises:
        QDreamerError: If an argument makes no sense.
        PlanError: If `max_qubits` is neither a positive integer nor names devices.
    """

    def __init__(
        self,
        max_qubits: Devices,
        *,
        mode: str = "auto",
        plan: CutPlan | None = None,
        session: SessionLike | None = None,
        on: str | Sequence[str] | None = None,
        backend: BackendV2 | Sequence[BackendV2] | None = None,
        prefer: str = "time",
        terms: Terms | Mapping[str, Terms] | None = None,
        mid_circuit: bool | None = None,
        mitigation: str | Sequence[str] | None = None,
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
        width, devices = read_devices(max_qubits)
        check_advised(adviser, devices)
        check_choice("mode", mode, (AUTO, *MODE_NAMES))
        check_choice("method", method, METHODS)
        check_choice("dtype", dtype, DTYPES)
        self._modes = modes_among(mode, method, sampled=shots is not None or backend is not None)
        if dtype != DTYPES[0] and not all(chosen.cuts for chosen in self._modes):
            raise QDreamerError(f"method={method!r} takes no dtype={dtype!r}")
        check_counts_if_given(shots=shots, most_workers=most_workers)
        check_counts(max_shots=max_shots)
        check_above_zero(default_precision=default_precision)
        check_given(plan, memory_limit_bytes)
        check_places(backend, session)
        check_choice("prefer", prefer, PREFERENCES)
        if (backend is not None or shots is not None) and not self._may_take_shots:
            raise QDreamerError("mode='exact' takes no shots and no backend; use mode='sampled'")
        self._adviser = adviser
        self._default_precision = default_precision
        self._given_seed = seed
        self._seen: _Seen | None = None
        self._runners: dict[Mode, Runner] = {chosen: chosen.runner() for chosen in self._modes}
        self._settings = RunSettings(
            max_qubits=width,
            devices=devices,
            plan=plan,
            seed=0 if seed is None else seed,
            shots=shots,
            max_shots=max_shots,
            dtype=dtype,
        )
        self._places = Places.of(session, on, backend, terms)
        self._execution = Execution(
            session=session,
            on=self._places.first,
            prefer=prefer,
            device_options=read_device_options(mid_circuit, mitigation),
            fallback=fallback,
            memory_limit_bytes=memory_limit_bytes,
            most_workers=most_workers,
            progress=ProgressLine() if progress is True else progress or None,
        )

    @property
    def default_precision(self) -> float:
        """The standard error wanted of PUBs that name none, as Qiskit's estimators have it."""
        return self._default_precision

    @property
    def seed(self) -> int | None:
        """The seed that was given, as Qiskit's estimators have it; None if there was none."""
        return self._given_seed

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> CutJob:
        """Estimate every PUB.

        Args:
            pubs: What Qiskit's estimators take; measurements at a circuit's end are left out.
            precision: Standard error wanted of PUBs that name none; exact mode needs none.

        Returns:
            A job whose result holds, per PUB, `data.evs` and `data.stds` of the PUB's broadcast
            shape, and in `metadata`: `mode`; `method`; `plans`, in exact mode one per group of
            terms that runs only its own light cone, and `plan`, that of the greatest; `plan_s`,
            `transpile_s`, `execute_s`, `contract_s`, `makespan_s` (wall seconds); `variants`
            (state vectors or circuits run); `shots`; `fragments` (a tuple of `FragmentRow`);
            `notes`, what to know about the run; `decisions`, a `Decision` for each time that
            workers came or went. If one of them was to plan anew, all but `makespan_s` is of the
            last plan, and `dropped_s` is the wall time under those before. What takes a moment in
            exact mode, uncut and in this process, is over before this returns.

        Raises:
            PubError: If a PUB does not fit together, or there is no list of them.
            CircuitError: If a circuit cannot be cut, such as one that measures and goes on.
        """
        wanted = self._default_precision if precision is None else precision
        checked = [self._coerced(pub, wanted, k) for k, pub in enumerate(listed_pubs(pubs))]
        if self._settings.shots is None:
            self._check_precisions([each.pub for each in checked])
        at_once = self._takes_a_moment(checked)
        checked = [each._replace(pub=owned(each.pub, lent=at_once)) for each in checked]
        return CutJob(
            lambda stop: PrimitiveResult(
                [self._run_pub(k, each, stop) for k, each in enumerate(checked)],
                metadata={"version": 2},
            ),
            at_once=at_once,
        )

    def dry_run(
        self,
        pubs: Iterable[Any],
        *,
        precision: float | None = None,
        terms: Terms | Mapping[str, Terms] | None = None,
    ) -> CutDryRun:
        """Say what `run` would take on its device; nothing is sent.

        Args:
            pubs: As for `run`.
            precision: As for `run`.
            terms: Instead of those that were given at first, for prices.

        Raises:
            PubError: If a PUB does not fit together, or there is no list of them.
            CircuitError: If a circuit cannot be cut.
            QDreamerError: If no device is meant.
            DeviceError: If the device cannot run a fragment, and no simulator may step in.
            PrecisionError: If a precision takes more shots than are allowed.
        """
        wanted = self._default_precision if precision is None else precision
        checked = [self._coerced(pub, wanted, k) for k, pub in enumerate(listed_pubs(pubs))]
        devices = check_devices_meant(self._devices(terms))
        if self._settings.shots is None:
            self._check_precisions([each.pub for each in checked])
        trials = []
        for number, each in enumerate(checked):
            settings = replace(self._settings, entropy=(self._given_seed or 0, number))
            execution = self._execution.on_devices(devices)
            levels = levels_of(request_of(each.pub, each.gates), settings, execution)
            for k, level in enumerate(levels):
                asked = level.request, level.settings, level.execution
                rounds, _ = prepared(BoundPlans(), *asked)
                guesses = [mine.prior_variance for mine in rounds]
                trials.append(Trial(*asked, rounds, guesses, again=k > 0))
        return dry_run(trials)

    def _takes_a_moment(self, checked: Sequence[_Checked]) -> bool:
        """Whether all is over before another thread, with a core of its own, would be of use."""
        given, settings = self._execution, self._settings
        here = given.session is None and given.on is None and not self._places.backends
        if not here or given.progress is not None or settings.plan is not None:
            return False
        mode = self._mode(())
        return (
            mode.exact
            and mode.cuts
            and all(each.pub.circuit.num_qubits <= settings.max_qubits for each in checked)
            and sum(uncut_work(each.pub, each.num_gates) for each in checked) <= _MOMENT
        )

    def _check_precisions(self, pubs: Sequence[EstimatorPub]) -> None:
        """Refuse what no number of shots reaches, before anything is planned."""
        for k, pub in enumerate(pubs):
            if not pub.precision > 0 and self._mode(self._devices()).takes_shots:
                raise PubError(
                    f"PUB {k}: precision={pub.precision}: values from shots need more than zero; "
                    "for exact values use mode='exact', without a backend or QPU"
                )

    def _coerced(self, pub: Any, precision: float | None, number: int) -> _Checked:
        """Check a PUB before anything runs; a circuit that was checked last time is known."""
        checked = checked_pub(pub, precision, number)
        circuit, length = checked.circuit, len(checked.circuit.data)
        seen = self._seen
        if seen is not None and seen.circuit is circuit and seen.length == length:
            return _Checked(checked, None, seen.num_gates)
        gates = _check_circuit(checked, number)
        if gates is None:  # without values nothing was looked at
            return _Checked(checked, None, 0)
        self._seen = _Seen(circuit, length, len(gates.qubits))
        return _Checked(checked, gates, len(gates.qubits))

    def _run_pub(self, number: int, checked: _Checked, stop: threading.Event) -> PubResult:
        start = time.perf_counter()
        pub = checked.pub
        devices = self._devices()
        mode = self._mode(devices)
        seed = secrets.randbits(62) if self._given_seed is None else self._given_seed
        settings = replace(self._settings, entropy=(seed, number))
        # Where nothing is cut there is no other plan that an adviser could ask for.
        watch = Watch(self._adviser if mode.cuts else None)
        execution = replace(self._execution, stop=stop, watch=watch).on_devices(devices)
        runner = self._runners[mode]
        request = request_of(pub, checked.gates, lent=True)
        mode, estimate = estimated(request, settings, execution, mode, runner, mode_of)
        plans = tuple(map(CutPlan.of, estimate.plans))
        record = RunRecord(
            observables=pub.observables,
            parameter_values=pub.parameter_values,
            mode=mode.name,
            method=mode.method,
            target_precision=pub.precision,
            plan=plans[0] if plans else None,
            plans=plans,
            seconds=estimate.seconds,
            makespan_s=time.perf_counter() - start,
            variants=estimate.variants,
            shots=estimate.shots,
            fragments=estimate.rows,
            notes=estimate.notes,
            decisions=watch.decisions,
            circuit_metadata=pub.circuit.metadata,
        )
        evs, stds = (values.reshape(pub.shape) for values in (estimate.evs, estimate.stds))
        data = DataBin(evs=evs, stds=stds, shape=pub.shape)
        return CutResult(data, metadata=record.as_metadata())

    @property
    def _may_take_shots(self) -> bool:
        return any(mode.takes_shots for mode in self._modes)

    def _mode(self, devices: Sequence[Device]) -> Mode:
        """The way to run: on devices, or where shots are given, one that takes shots."""
        shots = bool(devices) or self._settings.shots is not None
        return next((mode for mode in self._modes if mode.takes_shots == shots), self._modes[0])

    def _devices(self, terms: Any = None) -> tuple[Device, ...]:
        """The devices that run circuits, if any do."""
        return self._places.devices(terms) if self._may_take_shots else ()


def _check_circuit(pub: EstimatorPub, number: int) -> GateList | None:
    """Refuse a circuit that has no normal form; its gates with the first values, if any."""
    values = pub.parameter_values.ravel()
    if not values.size:
        return None
    try:
        return check_circuit(first_bound(pub.circuit, values))
    except (CircuitError, PubError) as error:
        raise type(error)(f"PUB {number}: {error}") from error
