"""Distributions of circuits that are too wide: cut, run the fragments, put them together.

A Qiskit sampler primitive. This module ties the steps together; what the steps do is said where
they are.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.primitives import BaseSamplerV2, BitArray, PrimitiveResult
from qiskit.primitives.containers import DataBin

from qdreamer_lab.errors import CircuitError, PubError, QDreamerError
from qdreamer_lab.workload.arguments import (
    PREFERENCES,
    Places,
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
from qdreamer_lab.workload.outcomes.distribution import Distribution
from qdreamer_lab.workload.outcomes.measured import measured_at_the_end
from qdreamer_lab.workload.outcomes.run import ExactRun, SampledRun, prepared_outcomes
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.pubs import checked_sampler_pub, listed_pubs, outcome_request
from qdreamer_lab.workload.record import RunRecord
from qdreamer_lab.workload.request import RunSettings
from qdreamer_lab.workload.result import CutSamples
from qdreamer_lab.workload.sampled.plans import BoundPlans

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping, Sequence

    from qiskit.primitives.containers.sampler_pub import SamplerPub
    from qiskit.providers import BackendV2

    from qdreamer_lab.workload.cut.widths import Devices
    from qdreamer_lab.workload.dry_run import CutDryRun
    from qdreamer_lab.workload.execution.device import Terms
    from qdreamer_lab.workload.execution.progress import Progress
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.outcomes.distribution import Outcomes
    from qdreamer_lab.workload.outcomes.measured import Measured
    from qdreamer_lab.workload.outcomes.run import OutcomeRun

__all__ = ["CutSampler"]

_AUTO, _EXACT, _SAMPLED = "auto", "exact", "sampled"


class CutSampler(BaseSamplerV2):  # type: ignore[misc]  # Qiskit has no types
    """Sampler for circuits wider than `max_qubits`, which measure at their end.

    Args:
        max_qubits: Greatest width of a fragment; or widths of devices, as `CutEstimator` takes
            them.
        mode: `"exact"`: fragments are simulated as state vectors; probabilities are exact to
            rounding, and shots are drawn from them. `"sampled"`: variants of the fragments are run
            for shots, on a QPU or on simulators that behave like one without noise; probabilities
            are estimates with standard errors. `"auto"`: sampled on a QPU, exact elsewhere.
        plan: Cut like this instead of planning; it must be made for the circuits that are run, and
            for observables on all qubits that are measured. Its own `max_qubits` then counts.
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
        mid_circuit: Whether devices measure in the middle of circuits; None asks them. As for
            `CutEstimator`.
        mitigation: What is done about a device's errors, `"readout"`, `"twirling"` or both, as for
            `CutEstimator`.
        fallback: Where simulators may step in for what a device cannot run: a kind of worker or a
            pilot's name, such as `"cpu"` (without a session: this process). None lets it fail.
        default_shots: Shots of PUBs that name none, for each set of parameter values. In sampled
            mode they are shared out over the variants of all fragments.
        seed: Makes planning and shots repeatable; None plans as 0 does and takes new shots each
            time.
        memory_limit_bytes: Most memory that one fragment, or putting them together, may take; None
            is what is free where it runs.
        progress: Called with a `Report` after every task, from the thread of the job; True prints
            one line that is redrawn.
        most_workers: Most workers that may be busy for this run at once; None for all.

    Raises:
        QDreamerError: If an argument makes no sense.
        PlanError: If `max_qubits` is no width.
    """

    def __init__(
        self,
        max_qubits: Devices,
        *,
        mode: str = _AUTO,
        plan: CutPlan | None = None,
        session: SessionLike | None = None,
        on: str | Sequence[str] | None = None,
        backend: BackendV2 | Sequence[BackendV2] | None = None,
        prefer: str = "time",
        terms: Terms | Mapping[str, Terms] | None = None,
        mid_circuit: bool | None = None,
        mitigation: str | Sequence[str] | None = None,
        fallback: str | None = None,
        default_shots: int = 1 << 14,
        seed: int | None = None,
        memory_limit_bytes: int | None = None,
        progress: Progress | bool = False,
        most_workers: int | None = None,
    ) -> None:
        width, devices = read_devices(max_qubits)
        check_choice("mode", mode, (_AUTO, _EXACT, _SAMPLED))
        check_counts(default_shots=default_shots)
        check_counts_if_given(most_workers=most_workers)
        check_given(plan, memory_limit_bytes)
        check_places(backend, session)
        check_choice("prefer", prefer, PREFERENCES)
        if backend is not None and mode == _EXACT:
            raise QDreamerError("mode='exact' takes no backend; use mode='sampled'")
        self._mode = mode
        self._default_shots = default_shots
        self._given_seed = seed
        self._runs: dict[str, OutcomeRun] = {_EXACT: ExactRun(), _SAMPLED: SampledRun()}
        self._settings = RunSettings(
            max_qubits=width, devices=devices, plan=plan, seed=0 if seed is None else seed
        )
        options = read_device_options(mid_circuit, mitigation)
        if "zne" in options.mitigation:
            raise QDreamerError(
                "mitigation='zne' extrapolates values, as CutEstimator does; for distributions "
                "there is 'readout' and 'twirling'"
            )
        self._places = Places.of(session, on, backend, terms)
        self._execution = Execution(
            session=session,
            on=self._places.first,
            prefer=prefer,
            device_options=options,
            fallback=fallback,
            memory_limit_bytes=memory_limit_bytes,
            most_workers=most_workers,
            progress=ProgressLine() if progress is True else progress or None,
        )

    @property
    def default_shots(self) -> int:
        """Shots of PUBs that name none, as Qiskit's samplers have it."""
        return self._default_shots

    @property
    def seed(self) -> int | None:
        """The seed that was given, as Qiskit's samplers have it; None if there was none."""
        return self._given_seed

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> CutJob:
        """Sample every PUB.

        Args:
            pubs: What Qiskit's samplers take.
            shots: Of PUBs that name none.

        Returns:
            A job whose result holds, per PUB, a `CutSamples`: a `BitArray` for each classical
            register in `data`, with as many samples as shots were asked for, drawn from the exact
            distribution, or in the proportions of the estimated one; `distributions`, one
            `Distribution` for each set of parameter values, and `distribution` if there is one;
            and the metadata of a `CutEstimator`, in which `shots` counts the shots of fragments.

        Raises:
            PubError: If a PUB does not fit together, or there is no list of them.
            CircuitError: If a circuit cannot be cut, measures nothing, or not only at its end.
        """
        checked = self._checked(pubs, shots)
        return CutJob(
            lambda stop: PrimitiveResult(
                [self._run_pub(k, *each, stop) for k, each in enumerate(checked)],
                metadata={"version": 2},
            )
        )

    def dry_run(
        self,
        pubs: Iterable[Any],
        *,
        shots: int | None = None,
        terms: Terms | Mapping[str, Terms] | None = None,
    ) -> CutDryRun:
        """Say what `run` would take on its device; nothing is sent.

        Args:
            pubs: As for `run`.
            shots: As for `run`.
            terms: Instead of those that were given at first, for prices.

        Raises:
            PubError: If a PUB does not fit together, or there is no list of them.
            CircuitError: If a circuit cannot be cut, measures nothing, or not only at its end.
            QDreamerError: If no device is meant.
            DeviceError: If the device cannot run a fragment, and no simulator may step in.
        """
        checked = self._checked(pubs, shots)
        meant = () if self._mode == _EXACT else self._places.devices(terms)
        execution = self._execution.on_devices(check_devices_meant(meant))
        trials = []
        for number, (pub, measured) in enumerate(checked):
            entropy = (self._given_seed or 0, number)
            settings = replace(self._settings, entropy=entropy, shots=pub.shots)
            request = outcome_request(measured.gates, measured.qubits, pub.parameter_values)
            plans = BoundPlans()
            rounds = prepared_outcomes(plans, request, measured.qubits, settings, execution)
            trials.append(Trial(request, settings, execution, rounds, [1.0] * len(rounds)))
        return dry_run(trials)

    def _checked(self, pubs: Iterable[Any], shots: int | None) -> list[tuple[SamplerPub, Measured]]:
        """PUBs that fit together, and their circuits taken apart."""
        if shots is not None:
            check_counts(shots=shots)
        wanted = self._default_shots if shots is None else shots
        listed = listed_pubs(pubs, sampled=True)
        checked = [checked_sampler_pub(pub, wanted, k) for k, pub in enumerate(listed)]
        return [(pub, _measured(pub, k)) for k, pub in enumerate(checked)]

    def _run_pub(
        self, number: int, pub: SamplerPub, measured: Measured, stop: threading.Event
    ) -> CutSamples:
        start = time.perf_counter()
        devices = () if self._mode == _EXACT else self._places.devices()
        mode = self._mode
        if mode == _AUTO:
            mode = _SAMPLED if devices else _EXACT
        seed = secrets.randbits(62) if self._given_seed is None else self._given_seed
        entropy = (seed, number)
        settings = replace(self._settings, entropy=entropy, shots=pub.shots)
        execution = replace(self._execution, stop=stop, watch=Watch()).on_devices(devices)
        request = outcome_request(measured.gates, measured.qubits, pub.parameter_values)
        outcomes, estimate = self._runs[mode].run(request, measured.qubits, settings, execution)
        distributions = self._distributions(measured, outcomes)
        data = _drawn(distributions, measured, pub, (*entropy, 1))
        plans = tuple(map(CutPlan.of, estimate.plans))
        record = RunRecord(
            parameter_values=pub.parameter_values,
            mode=mode,
            plan=plans[0] if plans else None,
            plans=plans,
            seconds=estimate.seconds,
            makespan_s=time.perf_counter() - start,
            variants=estimate.variants,
            shots=estimate.shots,
            fragments=estimate.rows,
            notes=estimate.notes,
            circuit_metadata=pub.circuit.metadata,
        )
        shaped = np.empty(len(distributions), object)
        shaped[:] = distributions
        told = {**record.as_metadata(), "distributions": shaped.reshape(pub.shape)}
        return CutSamples(data, metadata=told)

    def _distributions(
        self, measured: Measured, outcomes: Sequence[Outcomes]
    ) -> list[Distribution]:
        return [
            Distribution(
                tuple(measured.qubit_of),
                measured.qubit_of,
                measured.registers,
                each,
                self._execution.memory_limit_bytes,
            )
            for each in outcomes
        ]


def _measured(pub: SamplerPub, number: int) -> Measured:
    """The circuit of a PUB taken apart, unless it has no normal form.

    Raises:
        CircuitError: It says why.
    """
    try:
        found = measured_at_the_end(pub.circuit)
        values = pub.parameter_values.ravel()
        if values.size:
            check_circuit(first_bound(found.gates, values))
    except (CircuitError, PubError) as error:
        raise type(error)(f"PUB {number}: {error}") from error
    return found


def _drawn(
    distributions: Sequence[Distribution],
    measured: Measured,
    pub: SamplerPub,
    seed: tuple[int, ...],
) -> DataBin:
    """Samples of every distribution, a `BitArray` for each register of the circuit."""
    bits = np.zeros((len(distributions), pub.shots, measured.num_bits), np.bool_)
    for k, distribution in enumerate(distributions):
        bits[k][:, list(distribution.bits)] = distribution.draw(pub.shots, (*seed, k))
    registers = {
        name: BitArray.from_bool_array(
            bits[:, :, list(inside)].reshape(*pub.shape, pub.shots, len(inside)), order="little"
        )
        for name, inside in measured.registers.items()
        if inside
    }
    return DataBin(**registers, shape=pub.shape)
