"""Q-Dreamer itself: predictions, recommendations, and learning from what runs really took."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.advice.limits import Limits
from qdreamer_lab.dreamer.advice.recommend import recommended
from qdreamer_lab.dreamer.engine import Engine
from qdreamer_lab.dreamer.machine.profile import MachineProfile
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.prediction_request import request_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.arguments import check_given, check_here
from qdreamer_lab.workload.modes import METHODS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.advice.recommendation import Recommendation
    from qdreamer_lab.dreamer.device.owner_terms import DeviceTerms
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["QDreamer"]

_ALLOWANCE_S = 2.0
"""How long a single prediction may work on the variances of sampled mode."""


class QDreamer:
    """Tells before anything runs how long it will take, and which way to run is best.

    Args:
        session: Where fragments would run; None is this process.
        profile: What the machine can do; by default what was measured last, else nominal values.
        devices: Prices and waits of devices, by their names or by what `on` calls them.

    Attributes:
        engine: Prices ways one by one, for what is built on Q-Dreamer.
    """

    def __init__(
        self,
        session: SessionLike | None = None,
        *,
        profile: MachineProfile | None = None,
        devices: Mapping[str, DeviceTerms] | None = None,
    ) -> None:
        self.engine = Engine(session, profile, devices)

    @property
    def session(self) -> SessionLike | None:
        """Where fragments would run; None is this process."""
        return self.engine.session

    @property
    def devices(self) -> dict[str, DeviceTerms]:
        """Prices and waits of devices."""
        return self.engine.devices

    def profile(self, on: str | None = None) -> MachineProfile:
        """What predictions are made with now."""
        return self.engine.profile(on)

    def place(self, on: str | None) -> Place:
        """Where a run would happen."""
        return self.engine.place(on)

    def predict(
        self,
        circuit: QuantumCircuit,
        observables: Any,
        parameter_values: Any = None,
        *,
        max_qubits: int | None = None,
        plan: CutPlan | None = None,
        mode: str = "exact",
        on: str | None = None,
        workers: int | None = None,
        precision: float = 1 / 64,
        shots: int | None = None,
        method: str = "statevector",
        kinds: tuple[str, ...] = KINDS,
        cost: str = "lo",
        in_process: bool = False,
    ) -> Prediction:
        """What one way to run a circuit will take.

        Args:
            circuit: Bound, or with parameters that have values.
            observables: One or many, as Qiskit's estimators take them.
            parameter_values: Of the circuit, as in a PUB; all sets of them are priced together, and
                a way must be open to each.
            max_qubits: Greatest width of a fragment; the circuit's own, which cuts nothing, if
                neither this nor a plan is given.
            plan: Cut like this.
            mode: "exact" or "sampled".
            on: A kind of worker or a pilot's name.
            workers: How many share the work; all there are by default.
            precision: Standard error wanted in sampled mode.
            shots: Shots to take instead.
            method: How circuits are simulated, as `CutEstimator` takes it.
            kinds: Cuts that are allowed.
            cost: The cost model under which the plan is to be good.
            in_process: Run here rather than as tasks of the session.

        Raises:
            QDreamerError: If an argument makes no sense, or the circuit cannot run that way.
        """
        check_here(self.session, on)
        check_given(plan, None)
        if plan is not None and max_qubits is not None:
            raise QDreamerError("give max_qubits or plan, not both: a plan has its own width")
        wanted = request_of(circuit, observables, precision, parameter_values)
        place = self.place(on)
        if plan is not None:
            max_qubits, cost = plan.max_qubits, plan.cost
        way = Configuration(
            max_qubits=wanted.num_qubits if max_qubits is None else max_qubits,
            mode=mode,
            kinds=kinds,
            cost=cost,
            on=on,
            workers=1 if workers is None else workers,
            method=method,
            in_process=in_process,
        )
        alone = in_process or (not way.cuts and wanted.sets == 1)
        if workers is None and not alone:
            way = replace(way, workers=place.workers)
        return self.engine.price(wanted, way, place, _ALLOWANCE_S, plan=plan, shots=shots)

    def recommend(
        self,
        circuit: QuantumCircuit,
        observables: Any,
        parameter_values: Any = None,
        *,
        precision: float | None = None,
        limits: Limits | None = None,
        on: str | Sequence[str] | None = None,
        methods: Collection[str] = METHODS,
        in_process: bool = True,
        prefer: str = "time",
    ) -> Recommendation:
        """The best ways to run a circuit, best first, the uncut run among them.

        Args:
            circuit: Bound, or with parameters that have values.
            observables: One or many.
            parameter_values: Of the circuit, as in a PUB; all sets of them are priced together, and
                a way must be open to each.
            precision: Standard error that is good enough; None wants exact values if they can be
                had within the limits and are affordable (see `advice.ranking`), and else 1/64.
            limits: What a run may take.
            on: A kind of worker or a pilot's name, or a list of them. Several devices, those of
                `"qpu"` among them, are weighed one by one.
            methods: Ways of simulating that are considered.
            in_process: Whether short runs may take place here instead of on a local pilot.
            prefer: What comes first: `"time"`, with the queue of a device; `"fidelity"`, the
                smallest error, shots and what goes wrong on a device together; `"cost"`.

        Raises:
            QDreamerError: If nothing keeps within the limits; it names what comes nearest. If an
                argument makes no sense.
        """
        check_here(self.session, on)
        if limits is not None and not isinstance(limits, Limits):
            raise QDreamerError(
                f"limits= takes Limits(max_seconds=...) or None, got {limits!r:.60}"
            )
        return recommended(
            *(self.engine, circuit, observables, parameter_values),
            precision=precision,
            limits=Limits() if limits is None else limits,
            on=on,
            methods=methods,
            in_process=in_process,
            prefer=prefer,
        )

    def calibrate(self, budget_s: float = 20.0, *, on: str | None = None) -> MachineProfile:
        """Measure the machine where the work will run, and keep the profile.

        Probes of gates, memory, transfers and tasks run there, in this process where there is no
        session. The profile is kept on this machine's disk for each kind of pilot, and later
        sessions predict with it, for two weeks or until libraries change; every run refines it.

        Args:
            budget_s: Seconds to spend on it, at most 20.
            on: A kind of worker or a pilot's name.

        Raises:
            QDreamerError: If the budget makes no sense.
        """
        known_s = self.profile(on).warm_up_s
        made = MachineProfile.measure(self.session, on, budget_s=budget_s, warm_up_s=known_s)
        self.engine.keep(on, made)
        return made

    def observe(self, result: Any, prediction: Prediction | None = None) -> MachineProfile:
        """Learn from a run.

        Args:
            result: A `PubResult` of a `CutEstimator`.
            prediction: What was predicted for it; by default the last one with the same plan.

        Returns:
            The refined profile, which is kept.

        Raises:
            QDreamerError: If its times are impossible, or there is no prediction for it.
        """
        return self.engine.observe(result, prediction)
