"""Which ways to run are priced: few enough for an answer at once, the best of all among them.

A plan is found once for each width and then priced for every number of workers. Where a coarse look
shows the best width, it looks closer. It must not rank.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.advice.limits import Refused
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.errors import (
    InfeasiblePlanError,
    MemoryLimitError,
    MethodError,
    PlanError,
    PrecisionError,
)
from qdreamer_lab.search.problem import KINDS
from qdreamer_lab.workload.circuit.gates import flat_gates
from qdreamer_lab.workload.circuit.lightcone import GateList, measured_by, needed_gates
from qdreamer_lab.workload.circuit.pulled_back import pulled_back
from qdreamer_lab.workload.exact.group_terms import gate_cones
from qdreamer_lab.workload.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Collection

    from qdreamer_lab.dreamer.advice.limits import Limits
    from qdreamer_lab.dreamer.advice.pricer import Pricer
    from qdreamer_lab.dreamer.model.case import Case
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.workload.mode import Mode

__all__ = ["Candidates", "most_width", "widths_for"]

_ALLOWANCE_S = 0.02
"""How long a candidate may work on the variances of sampled mode."""

_PARTS = (1.0, 2 / 3, 0.5, 0.4, 1 / 3, 0.25)
"""Widths to look at, as parts of the circuit's."""

_ALL_WIDTHS = 10
"""Circuits up to here are looked at in every width."""

_NARROWEST = 4
"""Narrower fragments are not tried because wider ones do not fit."""

_CLOSER = 1
"""How often the gaps beside the best width are halved."""

_OTHERS = 2
"""Widths that are planned for the least work too."""

_SMALL = 20_000
"""Instructions times terms up to which a plan takes some ten milliseconds."""

_HERE_S = 1.0
"""Longer work does not belong into the process of a notebook that has a pilot."""

_HERE_WAYS = 2
"""Ways of each method that are looked at there: those that take the least work."""

_LONG_S = 0.25
"""Runs shorter than this are not worth a search with fewer kinds of cuts."""


@dataclass(eq=False)
class Candidates:
    """Ways that were looked at.

    Attributes:
        pricer: Prices them.
        wanted: Circuit and observables.
        place: Where they run.
        limits: What they may take.
        on: A kind of worker or a pilot's name.
        found: Ways that keep within the limits.
        over: Ways that do not: by which factor, why, and the way.
        refused: Ways that cannot be taken, those over a limit among them.
    """

    pricer: Pricer
    wanted: Wanted
    place: Place
    limits: Limits
    on: str | None
    found: list[Prediction] = field(default_factory=list)
    over: list[tuple[float, str, Prediction]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    _seen: set[object] = field(default_factory=set)
    _best: dict[Configuration, Prediction] = field(default_factory=dict)

    def search(
        self,
        methods: Collection[str],
        *,
        in_process: bool,
        exact_only: bool = False,
        swap_prices: Collection[float] = (),
    ) -> None:
        """Look at everything that is worth it.

        Args:
            methods: Of simulation.
            in_process: Whether short runs may take place here instead of on a local pilot.
            exact_only: Look at no way that takes shots.
            swap_prices: On a device, look too at plans whose cuts save swaps of so many bits.
        """
        most = most_width(self.limits, self.place)
        whole = most is None or most >= self.wanted.num_qubits
        modes = [each for each in MODES if self.place.backend is None or each.takes_shots]
        modes = [each for each in modes if each.exact or not exact_only]
        for mode in (each for each in modes if whole and not each.cuts and each.method in methods):
            self.look(self._way(self.wanted.num_qubits, mode))
        local = self.place.session is not None and self.place.local and self.on is None
        for mode in (each for each in modes if each.cuts):
            if mode.method in methods:
                self._widths(mode, most)
            if in_process and local:
                self._here(mode)
            if self.place.backend is not None and self.wanted.num_qubits > 1:
                width = self.wanted.num_qubits if most is None else most
                way = self._way(min(width, self.wanted.num_qubits), mode)
                for price in swap_prices:
                    self.look(replace(way, swap_price=price))

    @property
    def _small(self) -> bool:
        """Whether planning is so quick that more can be looked at."""
        return len(self.wanted.circuit.data) * (10 + len(self.wanted.terms)) <= _SMALL

    def look(self, configuration: Configuration) -> Prediction | None:
        """Plan a way and price it for several numbers of workers; the fastest, if there is one."""
        place = self.place.here() if configuration.in_process else self.place
        try:
            plan = self.pricer.plan(self.wanted, configuration)
            case = self.pricer.case(self.wanted, configuration, place, _ALLOWANCE_S, plan=plan)
        except (
            MemoryLimitError, InfeasiblePlanError, PlanError, PrecisionError, MethodError,
        ) as error:  # fmt: skip
            self.refused.append(Refused(configuration, str(error)))
            return None
        best: Prediction | None = None
        for workers in _counts(place, configuration, case):
            way = replace(configuration, workers=workers)
            prediction = self.pricer.price_case(case, self.wanted, way, place, plan)
            if best is None or prediction.makespan_s < best.makespan_s:
                best = prediction
            key = _sameness(prediction)
            if key not in self._seen:
                self._seen.add(key)
                self._file(prediction)
        if best is not None:
            self._best[configuration] = best
        return best

    def _way(self, width: int, mode: Mode) -> Configuration:
        return Configuration(width, mode.name, on=self.on, method=mode.method)

    def _file(self, prediction: Prediction) -> None:
        broken = self.limits.excess(prediction)
        if broken:
            worst, reason = max(broken)
            self.over.append((worst, reason, prediction))
            self.refused.append(Refused(prediction.configuration, reason))
        else:
            self.found.append(prediction)

    def _widths(self, mode: Mode, most: int | None) -> None:
        """State vectors in several widths, and closer where they are fast."""
        looked: dict[int, Prediction] = {}
        exact = any(prediction.configuration.exact for prediction in self.found)
        fine = mode.exact or not exact
        tried = widths_for(self.wanted.num_qubits, most, fine=fine, spread=self._spread(mode))
        for width in tried:
            self._look_width(width, mode, looked)
        while mode.exact and not looked and min(tried) > _NARROWEST:  # nothing fits as yet
            tried.append(max(_NARROWEST, 2 * min(tried) // 3))
            self._look_width(tried[-1], mode, looked)
        for _ in range(_CLOSER if fine and looked and self._small else 0):
            best = min(looked, key=lambda width: looked[width].makespan_s)
            for width in _halves(best, tried):
                tried.append(width)
                self._look_width(width, mode, looked)
            while self._may_be_narrower(min(tried), looked):
                tried.append(7 * min(tried) // 8)
                self._look_width(tried[-1], mode, looked)
        if looked:
            self._other_plans(mode, looked)

    def _may_be_narrower(self, least: int, looked: dict[int, Prediction]) -> bool:
        """Whether the narrowest fragments that were looked at are the best, and take long."""
        best = min(looked, key=lambda width: looked[width].makespan_s)
        return least == best > _NARROWEST and looked[best].makespan_s > _LONG_S

    def _spread(self, mode: Mode) -> int:
        """Qubits of what runs at once if nothing is cut: exact mode runs light cones apart."""
        gates = GateList(flat_gates(self.wanted.circuit))
        terms = self.wanted.terms
        if not mode.exact:
            kept = needed_gates(gates, measured_by(terms))
            return len({qubit for k in kept for qubit in gates.qubits[k]})
        cones = gate_cones(gates, pulled_back(gates, terms))
        return max((qubits.bit_count() for _, qubits in cones), default=0)

    def _look_width(self, width: int, mode: Mode, looked: dict[int, Prediction]) -> None:
        prediction = self.look(self._way(width, mode))
        if prediction is not None:
            looked[width] = prediction

    def _other_plans(self, mode: Mode, looked: dict[int, Prediction]) -> None:
        """Plans that are good by another measure, at widths that are fast already.

        Exact mode pays for operations and not for shots. Fewer kinds of cuts can only be better
        where the search among all of them is not known to have found the best.
        """
        order = sorted(looked, key=lambda width: looked[width].makespan_s)
        others = [replace(self._way(w, mode), cost="work") for w in order[:_OTHERS]]
        best = looked[order[0]]
        proven = best.plan is None or best.plan.proven_optimal
        if not proven and best.makespan_s > _LONG_S:
            others += [replace(self._way(order[0], mode), kinds=(kind,)) for kind in KINDS]
        for other in others:
            wanted = other.cost == "lo" or (mode.exact and best.plan is not None)
            if wanted:
                self.look(other)

    def _here(self, mode: Mode) -> None:
        """The ways with the least work without the way to a worker, if they are short."""
        least = sorted(self._best.items(), key=lambda pair: self._alone_s(pair[1]))
        tried: Counter[str] = Counter()
        for configuration, prediction in least:
            if configuration.mode != mode.name or self._alone_s(prediction) > _HERE_S:
                continue
            tried[configuration.method] += 1
            if tried[configuration.method] <= _HERE_WAYS:
                self.look(replace(configuration, in_process=True))

    def _alone_s(self, prediction: Prediction) -> float:
        """About how long it would take in one process."""
        belief = self.place.belief
        ways = ("dispatch", "transfer")
        return sum(
            belief.seconds(account.counts)
            for account in prediction.accounts
            if account.name not in ways
        )


def most_width(limits: Limits, place: Place) -> int | None:
    """The greatest width there may be; None for any."""
    if place.backend is None:
        return limits.max_qubits
    fits = int(place.backend.num_qubits)
    return fits if limits.max_qubits is None else min(limits.max_qubits, fits)


def widths_for(
    num_qubits: int, most: int | None, *, fine: bool = False, spread: int | None = None
) -> list[int]:
    """A handful of widths, the whole circuit first where that is allowed.

    Args:
        num_qubits: Of the circuit.
        most: The greatest width that is allowed; None for any.
        fine: Look at more of them.
        spread: Qubits of what runs at once; if that is far less than the circuit, widths are parts
            of it instead.
    """
    top = num_qubits if most is None else min(num_qubits, int(most))
    whole = spread if spread is not None and 2 <= spread <= num_qubits // 2 else num_qubits
    found = {max(min(2, num_qubits), round(part * whole)) for part in _PARTS}
    if fine and num_qubits <= _ALL_WIDTHS:
        found |= set(range(min(2, num_qubits), num_qubits + 1))
    return sorted({width for width in found if width <= top} | {top}, reverse=True)


def _halves(best: int, tried: list[int]) -> list[int]:
    """Widths half way from the best one to its neighbours."""
    below = [width for width in tried if width < best]
    above = [width for width in tried if width > best]
    middles = [(best + max(below)) // 2] if below else []
    middles += [(best + min(above) + 1) // 2] if above else []
    return [width for width in middles if width not in tried]


def _counts(place: Place, way: Configuration, case: Case) -> list[int]:
    """Numbers of workers to try, ascending; one for what is one task."""
    if place.session is None or (len(case.rounds) == 1 and case.repeats * _tasks(case.rounds) == 1):
        return [1]
    if place.backend is not None or not way.cuts:  # which are not held to fewer
        return [place.workers]
    return sorted({1, -(-place.workers // 2), place.workers})


def _tasks(rounds: tuple[tuple[object, ...], ...]) -> int:
    return sum(getattr(work, "items", 1) for works in rounds for work in works)


def _sameness(prediction: Prediction) -> object:
    """Predictions of the same plan, run in the same way, are one."""
    plan, way = prediction.plan, prediction.configuration
    labels = b"" if plan is None else plan.labels.tobytes() + plan.blocks.pairs.tobytes()
    return (way.mode, way.method, way.workers, way.in_process, labels)
