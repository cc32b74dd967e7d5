"""The engine under `QDreamer`: prices ways to run circuits, and learns from runs.

It knows where runs would happen and remembers what it predicted. It must not compare ways.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.placement import on_gpu
from qdreamer_lab.dreamer.device.shape import device_shape
from qdreamer_lab.dreamer.machine.profile import MachineProfile, machine_name
from qdreamer_lab.dreamer.machine.store import load_profile, save_profile
from qdreamer_lab.dreamer.mode import Conditions
from qdreamer_lab.dreamer.modes import cost_of
from qdreamer_lab.dreamer.predict.observe import first_run_s, learned, signature
from qdreamer_lab.dreamer.predict.place import (
    GPU,
    HERE,
    devices_named,
    is_local,
    pilots_of,
    place_of,
    waited_for,
)
from qdreamer_lab.dreamer.predict.price import priced
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.arguments import check_session
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList
from qdreamer_lab.workload.circuit.remainder import blocks_left
from qdreamer_lab.workload.cut.coupling_map import Couplings, read_couplings
from qdreamer_lab.workload.cut.options import BRIEFLY, SearchOptions
from qdreamer_lab.workload.execution.execution import Execution
from qdreamer_lab.workload.plan.find import plan_blocks
from qdreamer_lab.workload.request import RunSettings
from qdreamer_lab.workload.sampled.plans import needed_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qdreamer_lab.dreamer.device.owner_terms import DeviceTerms
    from qdreamer_lab.dreamer.model.case import Case
    from qdreamer_lab.dreamer.predict.configuration import Configuration
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.execution.session import SessionLike
    from qdreamer_lab.workload.plan.plan import CutPlan

__all__ = ["SEARCH_S", "Engine"]

SEARCH_S = 0.05
"""How long to look for a plan under another cost model or with fewer kinds of cuts."""

SWAP_SEARCH_S = 0.3
"""As long where swaps count: fragments are routed then."""

_PRELOADED_S = 0.15
"""What workers' first run takes longer where nobody measured it: they load code beforehand, but for
the last part of it, or for nearly all if they came up a moment ago."""

_KEPT = 256
"""Predictions remembered to learn from."""


class Engine:
    """Prices ways to run circuits. Any thread may call it.

    Args:
        session: Where fragments would run; None is this process.
        profile: What the machine can do; by default what was measured last, else nominal values.
        devices: Prices and waits of devices, by their names or by what `on` calls them.
    """

    def __init__(
        self,
        session: SessionLike | None = None,
        profile: MachineProfile | None = None,
        devices: Mapping[str, DeviceTerms] | None = None,
    ) -> None:
        if session is not None:
            check_session(session)
        self.session = session
        self.devices = dict(devices or {})
        self._given = profile
        self._profiles: dict[str, MachineProfile] = {}
        self._made: OrderedDict[object, Prediction] = OrderedDict()
        self._lock = threading.Lock()

    def elsewhere(self, session: SessionLike, on: str | None) -> Engine:
        """One for another session, with what is known of the machine behind `on`."""
        return Engine(session, self.profile(on))

    # ---- where runs happen

    def place(self, on: str | None) -> Place:
        """Where a run would happen.

        Args:
            on: A kind of worker or a pilot's name.

        Raises:
            PilotError: If `on` names nothing that exists.
        """
        pilots = pilots_of(self.session, on)
        profile, notes = self._known(pilots, on)
        if self.session is not None and not pilots:
            notes = ("there is no pilot yet: the prediction is for this process", *notes)
        return place_of(
            *(self.session, pilots, on),
            belief=profile.belief,
            contention=profile.contention,
            notes=notes,
            warm_up_s=profile.warm_up_s,
            warm_up_here_s=self._warm_up_here_s if pilots else profile.warm_up_s,
            devices=self.devices,
        )

    @functools.cached_property
    def _warm_up_here_s(self) -> float:
        """What the first run takes longer in this process, where others would run elsewhere."""
        return (self._given or load_profile() or MachineProfile.nominal()).warm_up_s

    def places(self, on: str | Sequence[str] | None) -> list[tuple[str | None, Place]]:
        """All places that `on` stands for: one for each device, with how long it lets wait.

        Args:
            on: A kind of worker or a pilot's name, or several.

        Raises:
            PilotError: If one names nothing that exists.
            QDreamerError: If none is named, or one twice.
        """
        names = devices_named(self.session, on)
        return [(name, waited_for(self.place(name))) for name in names]

    def gpu_place(self) -> Place | None:
        """Where runs on GPUs would happen; None if no worker has one."""
        try:
            pilots = pilots_of(self.session, GPU)
        except PilotError:
            return None
        with_gpu = any("GPU" in getattr(pilot, "offers", ()) for pilot in pilots)
        return self.place(GPU) if with_gpu else None

    def profile(self, on: str | None) -> MachineProfile:
        """What is known of the machine where a run would happen."""
        return self._known(pilots_of(self.session, on), on)[0]

    def keep(self, on: str | None, profile: MachineProfile) -> None:
        """Predict with this profile from now on; on disk too, unless one was given at first."""
        pilots = pilots_of(self.session, on)
        if on_gpu(on, pilots):  # which has figures of its own, on a resource that may have CPUs too
            profile = replace(profile, resource=_resource(pilots, on))
        self._profiles[on or ""] = profile
        if self._given is None:
            save_profile(profile)

    def _known(self, pilots: list[Any], on: str | None) -> tuple[MachineProfile, tuple[str, ...]]:
        """The profile that fits some pilots best, and what to know about it."""
        resource = _resource(pilots, on)
        notes = []
        profile = self._profiles.get(on or "", self._given) or load_profile(resource)
        if profile is None and resource != HERE and is_local(resource):
            profile = load_profile()
            if profile is not None:
                notes.append("the profile is of this process, not of the pilot: call calibrate()")
        if profile is None:
            profile = replace(MachineProfile.nominal(), resource=resource)
            if resource != HERE:
                profile = replace(profile, warm_up_s=_PRELOADED_S)
        if on_gpu(on, pilots) and profile.gpu_nominal:
            notes.append("GPU times are nominal, never measured: call calibrate(on='gpu')")
        return profile, (*notes, *_notes(profile, resource))

    # ---- prices

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
        """Plan a run and price it.

        Args:
            wanted: Circuit and observables.
            configuration: How.
            place: Where.
            allowance_s: How long working out the variances of sampled mode may take.
            plan: Cut like this.
            shots: Shots to take, whatever the precision.

        Raises:
            QDreamerError: If the circuit cannot be run that way.
        """
        place = place.here() if configuration.in_process else place
        if plan is None:
            plan = self.plan(wanted, configuration)
        case = self.case(wanted, configuration, place, allowance_s, plan=plan, shots=shots)
        return self.price_case(case, wanted, configuration, place, plan)

    def plan(self, wanted: Wanted, configuration: Configuration) -> CutPlan | None:
        """The plan that a run has to be given; None if it finds its own."""
        usual = set(configuration.kinds) == set(KINDS) and configuration.cost == "lo"
        price = configuration.swap_price
        if not configuration.cuts or (usual and price is None):
            return None
        options = SearchOptions(
            configuration.kinds,
            configuration.cost,
            time_limit_s=SEARCH_S if price is None else SWAP_SEARCH_S,
            rounds=BRIEFLY,
            couplings=None if price is None else self._couplings(configuration.on),
            swap_price=price,
        )
        if configuration.exact:
            blocks = blocks_left(wanted.circuit, wanted.terms)
        else:
            gates = GateList(flat_gates(wanted.circuit))
            blocks = needed_blocks(gates, wanted.num_qubits, wanted.terms)
        return plan_blocks(blocks, configuration.max_qubits, options)

    def _couplings(self, on: str | None) -> Couplings:
        """Who is coupled to whom on the device behind `on`."""
        found = read_couplings(self.place(on).backend)
        if found is None:
            raise QDreamerError("swap_price is for devices: say with on= which one")
        return found

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
        if configuration.exact and shots is not None:
            raise QDreamerError("mode='exact' takes no shots; use mode='sampled'")
        if configuration.exact and place.backend is not None:
            raise QDreamerError("a device takes shots: use mode='sampled'")
        settings = RunSettings(max_qubits=configuration.max_qubits, plan=plan)
        execution = Execution(session=place.session, on=configuration.on)
        device = None if place.backend is None else device_shape(place.backend, place.terms)
        conditions = Conditions(
            place.cores, place.belief, allowance_s, shots, device, gpu=place.gpu
        )
        return cost_of(configuration.resolved).case(wanted, settings, execution, conditions)

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
            case: The run.
            wanted: Circuit and observables.
            configuration: How, with the number of workers.
            place: Where.
            plan: That the run has to be given.
        """
        fewer = place.session is not None and configuration.workers < place.workers
        held = fewer and configuration.cuts
        made = replace(priced(case, wanted, configuration, place, held=held), given=plan)
        if place.backend is not None:
            cost = place.terms.cost(made.qpu_seconds, made.shots, made.tasks)
            made = replace(made, cost=cost, currency=place.terms.currency)
        self._remember(made, by_name=held or configuration.in_process)
        return made

    # ---- learning

    def observe(self, result: Any, prediction: Prediction | None = None) -> MachineProfile:
        """Learn from a run; `QDreamer.observe` says how."""
        with self._lock:
            if prediction is None:
                prediction = self._made.get(signature(result))
            if prediction is None:
                raise QDreamerError(
                    "nothing was predicted for this run: call predict with its circuit, or give "
                    "prediction="
                )
            on = prediction.configuration.on
            known = self.profile(on)
            refined = known.refined(learned(known.belief, prediction, result))
            self.keep(on, refined)
        return refined

    def observe_first_run(self, prediction: Prediction, makespan_s: float) -> None:
        """Learn what loading code takes from the first run in a place.

        Args:
            prediction: Of the run, `first_run_s` included.
            makespan_s: What it took.
        """
        on = prediction.configuration.on
        with self._lock:
            known = self.profile(on)
            self.keep(on, replace(known, warm_up_s=first_run_s(prediction, makespan_s)))

    def _remember(self, made: Prediction, *, by_name: bool) -> None:
        """Keep a prediction to learn from.

        Args:
            made: The prediction.
            by_name: Only a run that is asked for takes that way: others take all workers.
        """
        key = signature(made)
        with self._lock:
            if key in self._made and by_name:
                return
            self._made[key] = made
            self._made.move_to_end(key)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)


def _resource(pilots: list[Any], on: str | None) -> str:
    """What profiles of some pilots' workers are kept under."""
    if not pilots:
        return HERE
    return f"{pilots[0].resource} GPU" if on_gpu(on, pilots) else str(pilots[0].resource)


def _notes(profile: MachineProfile, resource: str) -> tuple[str, ...]:
    """What to know about a profile that is used for a pilot's resource."""
    if profile.source == "nominal":
        if profile.belief.observations == 0:
            return (
                "times are nominal, those of a typical machine, since this one was never measured: "
                "QDreamer(session).calibrate() does that in at most 20 s, and keeps it two weeks",
            )
        seen = profile.belief.observations
        return (
            f"times were learned from runs here ({seen} observations): "
            "QDreamer(session).calibrate() measures this machine in at most 20 s, and keeps that "
            "two weeks",
        )
    here = profile.machine == machine_name() if is_local(resource) else profile.resource == resource
    if here:
        return ()
    return (
        f"the profile is of another machine, {profile.machine} ({profile.resource}): "
        "call calibrate()",
    )
