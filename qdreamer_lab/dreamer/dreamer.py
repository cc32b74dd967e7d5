"""Q-Dreamer itself: predictions, recommendations, and learning from what runs really took."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.device.shape import device_shape
from qdreamer_lab.dreamer.exact.case import exact_case
from qdreamer_lab.dreamer.machine.profile import MachineProfile
from qdreamer_lab.dreamer.machine.store import save_profile
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.predict.observe import learned, signature
from qdreamer_lab.dreamer.predict.place import Place, place_of
from qdreamer_lab.dreamer.predict.price import priced
from qdreamer_lab.dreamer.sampled.case import sampled_case
from qdreamer_lab.dreamer.uncut.case import method_case
from qdreamer_lab.dreamer.wanted import Wanted, request_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.modes import METHODS
from qdreamer_lab.workload.plan.find import plan_cuts
from qdreamer_lab.workload.request import RunSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.advice.recommendation import Limits, Recommendation
    from qdreamer_lab.dreamer.device.terms import DeviceTerms
    from qdreamer_lab.dreamer.exact.case import Case
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["SEARCH_S", "QDreamer"]

_ALLOWANCE_S = 2.0
"""How long a single prediction may work on the variances of sampled mode."""

SEARCH_S = 0.05
"""How long to look for a plan under another cost model or with fewer kinds of cuts."""

_KEPT = 256
"""Predictions remembered to learn from."""


class QDreamer:
    """Tells before anything runs how long it will take, and which way to run is best.

    Args:
        session: where fragments would run; None is this process.
        profile: what the machine can do; by default what was measured last, else nominal values.
        devices: prices and waits of devices, by their names or by what `on` calls them.
    """

    def __init__(
        self,
        session: SessionLike | None = None,
        *,
        profile: MachineProfile | None = None,
        devices: Mapping[str, DeviceTerms] | None = None,
    ) -> None:
        self.session = session
        self.devices = dict(devices or {})
        self._given = profile
        self._profiles: dict[str, MachineProfile] = {}
        self._made: OrderedDict[object, Prediction] = OrderedDict()

    def profile(self, on: str | None = None) -> MachineProfile:
        """What predictions are made with now."""
        return self.place(on).profile

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
            circuit: bound, or with parameters that have values.
            observables: one or many, as Qiskit's estimators take them.
            parameter_values: of the circuit, as in a PUB; all sets of them are priced together, and
                a way must be open to each.
            max_qubits: greatest width of a fragment; the circuit's own, which cuts nothing, if
                neither this nor a plan is given.
            plan: cut like this.
            mode: "exact" or "sampled".
            on: a kind of worker or a pilot's name.
            workers: how many share the work; all there are by default.
            precision: standard error wanted in sampled mode.
            shots: shots to take instead.
            method: how circuits are simulated, as `CutEstimator` takes it.
            kinds: cuts that are allowed.
            cost: the cost model under which the plan is to be good.
            in_process: run here rather than as tasks of the session.

        Raises:
            QDreamerError: if an argument makes no sense, or the circuit cannot run that way.
        """
        if plan is not None and max_qubits is not None:
            raise QDreamerError("give max_qubits or plan, not both: a plan has its own width")
        wanted = request_of(circuit, observables, precision, parameter_values)
        place = self.place(on)
        width = plan.max_qubits if plan is not None else max_qubits or wanted.num_qubits
        if max_qubits is not None:
            width = max_qubits
        cost = plan.cost if plan is not None else cost
        alone = in_process or (method != "statevector" and wanted.sets == 1)
        many = (1 if alone else place.workers) if workers is None else workers
        configuration = Configuration(width, mode, kinds, cost, on, many, method, in_process)
        return self.price(wanted, configuration, place, _ALLOWANCE_S, plan=plan, shots=shots)

    def recommend(
        self,
        circuit: QuantumCircuit,
        observables: Any,
        parameter_values: Any = None,
        *,
        precision: float | None = None,
        limits: Limits | None = None,
        on: str | None = None,
        methods: Collection[str] = METHODS,
        in_process: bool = True,
    ) -> Recommendation:
        """The best ways to run a circuit, best first, the uncut run among them.

        Args:
            circuit: bound, or with parameters that have values.
            observables: one or many.
            parameter_values: of the circuit, as in a PUB; all sets of them are priced together, and
                a way must be open to each.
            precision: standard error that is good enough; None wants exact values if they can be
                had within the limits and are affordable (see `dreamer.ranking`), and else 1/64.
            limits: what a run may take.
            on: a kind of worker or a pilot's name.
            methods: ways of simulating that are considered.
            in_process: whether short runs may take place here instead of on a local pilot.

        Raises:
            QDreamerError: if nothing keeps within the limits; it names what comes nearest.
        """
        from qdreamer_lab.dreamer.advice.find import Asked, recommended

        asked = Asked(circuit, observables, parameter_values)
        return recommended(self, asked, precision, limits, on, methods, in_process)

    def calibrate(self, budget_s: float = 20.0, *, on: str | None = None) -> MachineProfile:
        """Measure the machine where the work will run, and keep the profile."""
        made = MachineProfile.measure(self.session, on, budget_s=budget_s)
        self._keep(on, made)
        return made

    def observe(self, result: Any, prediction: Prediction | None = None) -> MachineProfile:
        """Learn from a run.

        Args:
            result: a `PubResult` of a `CutEstimator`.
            prediction: what was predicted for it; by default the last one with the same plan.

        Returns:
            The refined profile, which is kept.

        Raises:
            QDreamerError: if its times are impossible, or there is no prediction for it.
        """
        if prediction is None:
            prediction = self._made.get(signature(result))
        if prediction is None:
            raise QDreamerError(
                "nothing was predicted for this run: call predict with its circuit, or give "
                "prediction="
            )
        on = prediction.configuration.on
        refined = learned(self.place(on).profile, prediction, result)
        self._keep(on, refined)
        return refined

    def place(self, on: str | None) -> Place:
        """Where a run would happen."""
        known = self._profiles.get(on or "", self._given)
        return place_of(self.session, on, known, self.devices)

    def _keep(self, on: str | None, profile: MachineProfile) -> None:
        self._profiles[on or ""] = profile
        if self._given is None:
            save_profile(profile)

    def price(
        self,
        wanted: Wanted,
        configuration: Configuration,
        place: Place,
        allowance_s: float,
        *,
        plan: CutPlan | None = None,
        shots: int | None = None,
    ) -> Prediction:
        """What `predict` does, when everything was checked.

        Args:
            wanted: circuit and observables.
            configuration: how.
            place: where.
            allowance_s: how long working out the variances of sampled mode may take.
            plan: cut like this.
            shots: shots to take, whatever the precision.
        """
        place = place.here() if configuration.in_process else place
        if plan is None:
            plan = self.plan(wanted, configuration)
        case = self.case(wanted, configuration, place, allowance_s, plan=plan, shots=shots)
        return self.price_case(case, wanted, configuration, place, plan)

    def price_case(
        self,
        case: Case,
        wanted: Wanted,
        configuration: Configuration,
        place: Place,
        plan: CutPlan | None = None,
    ) -> Prediction:
        """Price a run that is planned; one case serves any number of workers.

        Args:
            case: the run.
            wanted: circuit and observables.
            configuration: how, with the number of workers.
            place: where.
            plan: that the run has to be given.
        """
        held = (
            place.session is not None
            and configuration.workers < place.workers
            and configuration.method == METHODS[0]
        )
        made = priced(
            case,
            wanted,
            configuration,
            place.profile,
            session=place.session is not None,
            notes=place.notes,
            held=held,
        )
        made = replace(made, given=plan)
        if place.backend is not None:
            cost = place.terms.cost(made.qpu_seconds, made.shots, made.tasks)
            made = replace(made, cost=cost, currency=place.terms.currency)
        key = signature(made)
        if key in self._made and (held or configuration.in_process):
            return made  # a run that was not asked for by name takes all workers
        self._made[key] = made
        self._made.move_to_end(key)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made

    def plan(self, wanted: Wanted, configuration: Configuration) -> CutPlan | None:
        """The plan that a run has to be given; None if it finds its own."""
        usual = set(configuration.kinds) == set(KINDS) and configuration.cost == "lo"
        if usual or configuration.method != METHODS[0]:
            return None
        return plan_cuts(
            wanted.circuit,
            configuration.max_qubits,
            observables=wanted.given,
            kinds=configuration.kinds,
            cost=configuration.cost,
            time_limit_s=SEARCH_S,
        )

    def case(
        self,
        wanted: Wanted,
        configuration: Configuration,
        place: Place,
        allowance_s: float,
        *,
        plan: CutPlan | None = None,
        shots: int | None = None,
    ) -> Case:
        """Plan a run; the arguments are those of `price`."""
        settings = RunSettings(max_qubits=configuration.max_qubits, plan=plan)
        execution = Execution(session=place.session, on=configuration.on)
        if configuration.mode == "exact":
            if shots is not None:
                raise QDreamerError("mode='exact' takes no shots; use mode='sampled'")
            if place.backend is not None:
                raise QDreamerError("a device takes shots: use mode='sampled'")
            if configuration.method != METHODS[0]:
                return method_case(wanted, configuration.method, execution, place.profile)
            return exact_case(wanted, settings, execution, place.cores)
        device = None if place.backend is None else device_shape(place.backend, place.terms)
        return sampled_case(
            wanted,
            settings,
            execution,
            place.profile,
            shots=shots,
            allowance_s=allowance_s,
            device=device,
        )
