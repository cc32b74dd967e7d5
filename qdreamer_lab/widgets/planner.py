"""From controls to candidates: at once from what is known, better ones in the background.

A plan is looked for by the finder and priced by Q-Dreamer; nothing runs. Caches are bounded. What
is shown follows from the candidates elsewhere.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pilot_kernel.errors import PilotError
from qdreamer_lab.dreamer.advice.candidates import widths_for
from qdreamer_lab.dreamer.dreamer import QDreamer
from qdreamer_lab.dreamer.engine import SEARCH_S
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.predict.place import GPU
from qdreamer_lab.dreamer.prediction_request import request_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.cache import Cache
from qdreamer_lab.widgets.state import Candidate
from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.cut.options import BRIEFLY, SearchOptions
from qdreamer_lab.workload.exact.plans import ExactPlans
from qdreamer_lab.workload.modes import SAMPLED
from qdreamer_lab.workload.plan.find import plan_blocks
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.request import RunSettings

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.widgets.problem import Problem
    from qdreamer_lab.widgets.state import Controls
    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit

__all__ = ["Found", "Planner"]

_ALLOWANCE_S = 0.02
"""How long a candidate may work on the variances of sampled mode."""

_SURE = 0.7
"""A search that took a smaller part of its time limit was not cut short by it."""

_MOST_PLANS, _MOST_PRICES = 128, 512
"""Remembered; a session of moving sliders must not grow without end."""

_EQUAL = 1e-9
"""Costs that differ by less are the same."""

_WIDTHS = 10
"""About so many widths make up the trade-off."""

_PLACE_S = 2.0
"""How old news of a session's pilots may be."""

Found = tuple[Candidate, ...]


class Planner:
    """Finds and prices candidates for one problem. Any thread may call it.

    Args:
        problem: What is explored.
        dreamer: Prices plans; it knows the session.

    Attributes:
        pricing: Held while something is priced: planning is timed meanwhile.
    """

    def __init__(self, problem: Problem, dreamer: QDreamer) -> None:
        self.problem = problem
        self.dreamer = dreamer
        self.lost = ""
        self._era = 0
        self._plans: Cache[_Planned] = Cache(_MOST_PLANS)
        self._prices: Cache[Candidate] = Cache(_MOST_PRICES)
        self._advice: Cache[Found] = Cache(_MOST_PLANS)
        self._places: dict[str | None, tuple[float, Place]] = {}
        self.pricing = threading.Lock()

    def forget_prices(self) -> None:
        """Price everything anew: the profile has learned."""
        self._prices = Cache(_MOST_PRICES)
        self._advice = Cache(_MOST_PLANS)
        self._places = {}
        self._era += 1

    @property
    def remembered(self) -> int:
        """Entries in all caches."""
        return len(self._plans) + len(self._prices) + len(self._advice)

    def first(self, controls: Controls) -> Found:
        """What can be said at once: the best plan known for the width, or the first one found."""
        return self._candidates(controls, controls.width, rounds=0)

    def refined(self, controls: Controls) -> Iterator[Found]:
        """Better and more candidates, the one at the controls' own width first and last.

        At last it is searched for as long as the controls say; all before are soon there.
        """
        yield self._candidates(controls, controls.width, rounds=BRIEFLY)
        yield self.advised(controls)
        for width in self.widths(controls):
            if width != controls.width:
                yield self._candidates(controls, width, rounds=BRIEFLY)
        yield self._candidates(controls, controls.width, rounds=None)
        for width in self.widths(controls):  # for which that may be better than what is known
            if width > controls.width:
                yield self._candidates(controls, width, rounds=BRIEFLY)

    def at(self, controls: Controls, width: int) -> Found:
        """Candidates for one width, as good as a short search finds them; at least one."""
        return self._candidates(controls, width, rounds=BRIEFLY)

    def known(self, controls: Controls) -> Found:
        """Candidates for all widths that are priced already."""
        found: list[Candidate] = []
        place = self.place(controls.on)
        for width in self.widths(controls):
            for configuration in self._ways(controls, width, place):
                candidate = self._prices.get(self._key(controls, configuration))
                found += [] if candidate is None else [candidate]
        return (*found, *(self._advice.get(self._advice_key(controls)) or ()))

    def widths(self, controls: Controls) -> list[int]:
        """Widths that make up the trade-off."""
        n = self.problem.num_qubits
        narrowest = max(min(2, n), -(-n // 8))
        spread = np.unique(np.rint(np.linspace(narrowest, n, _WIDTHS))).astype(int).tolist()
        return sorted({*spread, *widths_for(n, None), min(n, controls.width)})

    def place(self, on: str | None) -> Place:
        """Where a run would happen; this process if the session is gone, which `lost` then says."""
        known = self._places.get(on)
        if known is not None and time.monotonic() - known[0] < _PLACE_S:
            return known[1]
        try:
            found = self.dreamer.place(on)
            self.lost = ""
        except PilotError as error:
            self.lost = str(error)
            found = known[1] if known else QDreamer().place(None)
        self._places[on] = (time.monotonic(), found)
        return found

    def workers(self, on: str | None) -> int | None:
        """How many workers a run there would have; None without a session."""
        place = self.place(on)
        return None if place.session is None else place.workers

    def advised(self, controls: Controls) -> Found:
        """What Q-Dreamer recommends, as far as the controls allow it."""
        key = self._advice_key(controls)
        known = self._advice.get(key)
        if known is not None:
            return known
        place, era = self.place(controls.on), self._era
        circuit, whole = self.problem.bound(controls.values)
        found: list[Prediction] = []
        with contextlib.suppress(QDreamerError, PilotError, OverflowError):
            profile = None if self.lost else self.dreamer.profile(controls.on)
            adviser = QDreamer(place.session, profile=profile)  # remembers nothing of what is run
            if profile is not None and adviser.engine.gpu_place() is not None:
                adviser.engine.keep(GPU, self.dreamer.profile(GPU))  # which has one of its own
            advice = adviser.recommend(
                circuit, self.problem.observables, precision=controls.precision, on=controls.on
            )
            found += advice.predictions
        allowed = [
            _advised(prediction, controls, whole)
            for prediction in found
            if _allowed(prediction, controls)
        ]
        wanted = self.wanted(controls)
        return self._advice.put(
            key, tuple(replace(_grouped(each, wanted), era=era) for each in allowed)
        )

    def _advice_key(self, controls: Controls) -> Hashable:
        return replace(controls, width=1, time_limit_s=1.0)

    def _candidates(self, controls: Controls, width: int, *, rounds: int | None) -> Found:
        place = self.place(controls.on)
        ways = self._ways(controls, width, place)
        try:
            planned = self._plan(controls, width, rounds=rounds)
        except QDreamerError as error:
            blank = Candidate(ways[0], None, None, str(error))
            blank = replace(_for(controls, blank), era=self._era)
            return tuple(replace(blank, configuration=way) for way in ways)
        wanted = self.wanted(controls)
        found: list[Candidate] = []
        for way in ways:
            found.append(self._priced(controls, way, planned, wanted, place))
            if rounds == 0 and found[-1].prediction is not None:
                break
        return tuple(found)

    def _ways(self, controls: Controls, width: int, place: Place) -> list[Configuration]:
        modes = controls.modes if place.backend is None else (SAMPLED.name,)
        return [
            Configuration(
                width,
                mode,
                kinds=controls.kinds,
                cost=controls.cost,
                on=controls.on,
                workers=controls.workers or place.workers,
            )
            for mode in modes
        ]

    def wanted(self, controls: Controls) -> Wanted:
        """What is priced."""
        circuit, _ = self.problem.bound(controls.values)
        return request_of(circuit, self.problem.observables, controls.precision)

    def _plan(self, controls: Controls, width: int, *, rounds: int | None) -> _Planned:
        """The best plan known, after as much search as was asked for, and how it was found."""
        planned = self._searched(controls, width, rounds=rounds)
        narrower = [self._plans.get(self._plan_key(controls, w)) for w in range(1, width)]
        best = min(
            (each.plan for each in narrower if each is not None),
            key=lambda plan: plan.log2_cost,
            default=planned.plan,
        )
        if best.log2_cost >= planned.plan.log2_cost - _EQUAL:
            return planned
        # What fits into narrower fragments fits into these. The bound is that of this width.
        bound = min(planned.plan.log2_lower_bound, best.log2_cost)
        better = replace(best, max_qubits=width, log2_lower_bound=bound, proven_optimal=False)
        found = replace(planned, plan=better, repeatable=False)
        return self._plans.put(self._plan_key(controls, width), found)

    def _plan_key(self, controls: Controls, width: int) -> Hashable:
        return (controls.values, controls.kinds, controls.cost, width)

    def _searched(self, controls: Controls, width: int, *, rounds: int | None) -> _Planned:
        key = self._plan_key(controls, width)
        known = self._plans.get(key)
        limit = 0.0 if rounds == 0 else controls.time_limit_s
        options = SearchOptions(controls.kinds, controls.cost, None, limit, rounds=rounds)
        if known is not None and _reaches(known.reached, options):
            return known
        _, blocks = self.problem.bound(controls.values)
        start = time.monotonic()
        made = plan_blocks(blocks, width, options)
        in_time = limit == 0 or time.monotonic() - start < _SURE * limit
        planned = _Planned(made, options, options, in_time and rounds is not None)
        if known is not None and known.plan.log2_cost < made.log2_cost - _EQUAL:
            return self._plans.put(key, replace(known, reached=options))
        if known is not None and _no_news(known.plan, made):
            planned = replace(planned, plan=known.plan)  # what is drawn and priced already stays
            if rounds is None:
                planned = replace(known, reached=options)
        return self._plans.put(key, planned)

    def _key(self, controls: Controls, configuration: Configuration) -> Hashable:
        return (controls.values, configuration, controls.precision)

    def _priced(
        self,
        controls: Controls,
        way: Configuration,
        planned: _Planned,
        wanted: Wanted,
        place: Place,
    ) -> Candidate:
        key = self._key(controls, way)
        known = self._prices.get(key)
        plan, options, repeatable = planned.plan, planned.options, planned.repeatable
        if known is not None and known.plan is plan:
            if (known.options, known.repeatable) == (options, repeatable):
                return known
            found_anew = replace(known, options=options, repeatable=repeatable)
            return self._prices.put(key, found_anew)
        made = Candidate(way, plan, options=options, repeatable=repeatable, era=self._era)
        made = _for(controls, made)
        try:
            with self.pricing:
                prediction = self.dreamer.engine.price(wanted, way, place, _ALLOWANCE_S, plan=plan)
            # Terms may run in groups; the prediction names the plan of the greatest one.
            made = replace(made, prediction=replace(prediction, plan=plan))
        except (QDreamerError, PilotError) as error:
            made = replace(made, refused=str(error))
        except OverflowError:
            made = replace(made, refused="it would take more shots than can be counted")
        return self._prices.put(key, made)


def _reaches(done: SearchOptions, wanted: SearchOptions) -> bool:
    """Whether a search was as thorough as another one would be."""
    rounds = [np.inf if each.rounds is None else each.rounds for each in (done, wanted)]
    return rounds[0] >= rounds[1] and done.time_limit_s >= wanted.time_limit_s


def _no_news(old: CutPlan, new: CutPlan) -> bool:
    return (
        np.array_equal(old.labels, new.labels)
        and old.log2_lower_bound == new.log2_lower_bound
        and old.proven_optimal == new.proven_optimal
    )


def _advised(prediction: Prediction, controls: Controls, whole: BlockCircuit) -> Candidate:
    """With the width of its widest fragment, if that is all it needs."""
    way, plan = prediction.configuration, prediction.plan
    if prediction.given is not None:
        plan = prediction.given
        width = max(fragment.width for fragment in prediction.given.fragments)
        way = replace(way, max_qubits=width)
        prediction = replace(prediction, configuration=way, plan=plan)
    options = SearchOptions(way.kinds, way.cost, None, SEARCH_S, rounds=BRIEFLY)
    made = Candidate(
        *(way, plan, prediction),
        given=False,
        options=options,
        repeatable=False,
        blocks=whole.num_blocks,
    )
    return _for(controls, made)


def _grouped(candidate: Candidate, wanted: Wanted) -> Candidate:
    """With the plans of all groups of terms, where they run apart."""
    way, made = candidate.configuration, candidate.prediction
    if not (way.exact and way.cuts) or made is None or made.plan is None or made.given is not None:
        return candidate
    settings = RunSettings(max_qubits=way.max_qubits)
    with contextlib.suppress(QDreamerError):
        runs = ExactPlans().runs(wanted.circuit, wanted.terms, settings)
        plans = tuple(CutPlan.of(run.plan) for run in runs)
        if len(plans) > 1:
            return replace(candidate, groups=plans)
    return candidate


def _for(controls: Controls, candidate: Candidate) -> Candidate:
    """With what it was asked for."""
    return replace(candidate, values=controls.values, precision=controls.precision)


def _allowed(prediction: Prediction, controls: Controls) -> bool:
    """Whether the controls leave room for it."""
    way, most = prediction.configuration, controls.workers
    enough = most is None or way.workers <= most
    return enough and way.mode in controls.modes and _kept_to(prediction.plan, controls.kinds)


def _kept_to(plan: CutPlan | None, kinds: tuple[str, ...]) -> bool:
    """Whether a plan has cuts of allowed kinds only."""
    cuts = () if plan is None else plan.cuts
    return all(("gate" if isinstance(cut, GateCut) else "wire") in kinds for cut in cuts)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, how it was found (see `Candidate`), and the most thorough search made for it."""

    plan: CutPlan
    options: SearchOptions
    reached: SearchOptions
    repeatable: bool
