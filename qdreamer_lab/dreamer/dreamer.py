"""Q-Dreamer itself: predictions, recommendations, and learning from what runs really took."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from qdreamer_lab.dreamer.cases import Case, exact_case
from qdreamer_lab.dreamer.cases_sampled import sampled_case
from qdreamer_lab.dreamer.configuration import Configuration
from qdreamer_lab.dreamer.device_features import device_shape
from qdreamer_lab.dreamer.observing import learned, signature
from qdreamer_lab.dreamer.place import Place, place_of
from qdreamer_lab.dreamer.pricing import priced
from qdreamer_lab.dreamer.profile import MachineProfile
from qdreamer_lab.dreamer.store import save_profile
from qdreamer_lab.dreamer.wanted import Wanted, request_of, run_options
from qdreamer_lab.errors import QDreamerError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.dreamer.prediction import Prediction
    from qdreamer_lab.dreamer.recommendation import Limits, Recommendation
    from qdreamer_lab.workload.dispatch import SessionLike
    from qdreamer_lab.workload.plan import CutPlan

__all__ = ["QDreamer"]

_ALLOWANCE_S = 2.0
"""How long a single prediction may work on the variances of sampled mode."""

_KEPT = 256
"""Predictions remembered to learn from."""


class QDreamer:
    """Tells before anything runs how long it will take, and which way to run is best.

    Args:
        session: where fragments would run; None is this process.
        profile: what the machine can do; by default what was measured last, else nominal values.
    """

    def __init__(
        self, session: SessionLike | None = None, *, profile: MachineProfile | None = None
    ) -> None:
        self.session = session
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
        *,
        max_qubits: int | None = None,
        plan: CutPlan | None = None,
        mode: str = "exact",
        on: str | None = None,
        workers: int | None = None,
        precision: float = 1 / 64,
        shots: int | None = None,
    ) -> Prediction:
        """What one way to run a circuit will take.

        Args:
            circuit: bound.
            observables: one or many, as Qiskit's estimators take them.
            max_qubits: greatest width of a fragment; the circuit's own, which cuts nothing, if
                neither this nor a plan is given.
            plan: cut like this.
            mode: "exact" or "sampled".
            on: a kind of worker or a pilot's name.
            workers: how many share the work; all there are by default.
            precision: standard error wanted in sampled mode.
            shots: shots to take instead.

        Raises:
            QDreamerError: if an argument makes no sense, or the circuit cannot run that way.
        """
        if plan is not None and max_qubits is not None:
            raise QDreamerError("give max_qubits or plan, not both: a plan has its own width")
        wanted = request_of(circuit, observables, precision)
        place = self.place(on)
        width = plan.max_qubits if plan is not None else max_qubits or wanted.num_qubits
        if max_qubits is not None:
            width = max_qubits
        cost = plan.cost if plan is not None else "lo"
        many = place.workers if workers is None else workers
        configuration = Configuration(width, mode, cost=cost, on=on, workers=many)
        return self.price(wanted, configuration, place, _ALLOWANCE_S, plan=plan, shots=shots)

    def recommend(
        self,
        circuit: QuantumCircuit,
        observables: Any,
        *,
        precision: float | None = None,
        limits: Limits | None = None,
        on: str | None = None,
    ) -> Recommendation:
        """The best ways to run a circuit, best first, the uncut run among them.

        Args:
            circuit: bound.
            observables: one or many.
            precision: standard error that is good enough; None wants exact values if they can be
                had within the limits, and else 1/64.
            limits: what a run may take.
            on: a kind of worker or a pilot's name.

        Raises:
            QDreamerError: if nothing keeps within the limits; it names what comes nearest.
        """
        from qdreamer_lab.dreamer.advice import recommended

        return recommended(self, circuit, observables, precision, limits, on)

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
        return place_of(self.session, on, known)

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
        case = self._case(wanted, configuration, plan, place, shots, allowance_s)
        made = priced(
            case,
            wanted,
            configuration,
            place.profile,
            session=place.session is not None,
            notes=place.notes,
        )
        key = signature(made)
        self._made[key] = made
        self._made.move_to_end(key)
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made

    def _case(
        self,
        wanted: Wanted,
        configuration: Configuration,
        plan: CutPlan | None,
        place: Place,
        shots: int | None,
        allowance_s: float,
    ) -> Case:
        options = run_options(configuration.max_qubits, plan, place.session, configuration.on)
        if configuration.mode == "exact":
            if shots is not None:
                raise QDreamerError("mode='exact' takes no shots; use mode='sampled'")
            if place.backend is not None:
                raise QDreamerError("a device takes shots: use mode='sampled'")
            return exact_case(wanted, options, place.cores)
        device = None if place.backend is None else device_shape(place.backend)
        return sampled_case(
            wanted, options, place.profile, shots=shots, allowance_s=allowance_s, device=device
        )
