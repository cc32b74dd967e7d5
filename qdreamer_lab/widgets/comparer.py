"""The same plans on CPU cores and on a GPU, priced in the background. It draws and chooses nothing.

Planning happens where the explorer is, whatever runs the fragments: it counts the same for all.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilot_kernel.errors import PilotError
from qdreamer_lab.dreamer.engine import Engine
from qdreamer_lab.dreamer.model.coefficients import PLACE
from qdreamer_lab.dreamer.predict.place import GPU
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.cache import Cache
from qdreamer_lab.widgets.crossover import Comparison, Kind, WidthTimes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from qdreamer_lab.dreamer.machine.profile import MachineProfile
    from qdreamer_lab.dreamer.predict.place import Place
    from qdreamer_lab.dreamer.predict.prediction import Prediction
    from qdreamer_lab.dreamer.prediction_request import Wanted
    from qdreamer_lab.widgets.planner import Planner
    from qdreamer_lab.widgets.state import Candidate, Controls

__all__ = ["Comparer"]

_CPU = "cpu"
"""What `on=` calls workers with CPUs."""

_ALLOWANCE_S = 0.02
"""How long a price may work on the variances of sampled mode."""

_MOST_ROWS = 256
"""Remembered."""

_OFFERED_S = 2.0
"""How old news of a session's GPUs may be."""


class Comparer:
    """Prices plans on each kind of worker. Any thread may call it.

    Args:
        planner: Finds the plans.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._rows: Cache[tuple[Candidate, WidthTimes]] = Cache(_MOST_ROWS)
        self._asked: tuple[float, Place | None] | None = None
        # Predictions that nobody asked for are not remembered: no run is to be held against them.
        self._pricer = Engine()

    def gpu_place(self) -> Place | None:
        """Where runs on a GPU would happen; None if there is none."""
        if self._asked is None or time.monotonic() - self._asked[0] > _OFFERED_S:
            self._asked = (time.monotonic(), self._gpu_place())
        return self._asked[1]

    def _gpu_place(self) -> Place | None:
        dreamer = self._planner.dreamer
        with contextlib.suppress(PilotError):
            if dreamer.session is not None:
                return dreamer.engine.gpu_place()
            return dreamer.place(None).with_gpu() if dreamer.profile().gpus else None
        return None

    def steps(self, controls: Controls) -> Iterator[tuple[Comparison, ...]]:
        """Look at all widths of the trade-off, and then closer where one kind overtakes the other.

        Args:
            controls: What was asked for.

        Returns:
            The comparison at the end; before, nothing, as often as it may be given up.
        """
        sides = self._sides(controls)
        wanted = self._planner.wanted(controls)
        found: dict[int, WidthTimes | None] = {}
        for limit in self._planner.widths(controls):
            yield ()
            found[limit] = self._row(controls, limit, sides, wanted)
        compared = self._compared(controls, sides, found)
        while (between := _undecided(compared, found)) is not None:
            yield ()
            found[between] = self._row(controls, between, sides, wanted)
            compared = self._compared(controls, sides, found)
        yield (compared,)

    def _compared(
        self, controls: Controls, sides: list[_Side], found: dict[int, WidthTimes | None]
    ) -> Comparison:
        """Each width at which anything can run, once, from the tightest limit that leads to it."""
        by_width: dict[int, WidthTimes] = {}
        for _, row in sorted(found.items()):
            if row is not None and math.isfinite(min(row.seconds)):
                by_width.setdefault(row.width, row)
        rows = tuple(by_width[width] for width in sorted(by_width))
        kinds = tuple(side.kind for side in sides)
        return Comparison(kinds, rows, self.gpu_place() is not None, controls.modes[0])

    # ---- kinds of workers

    def _sides(self, controls: Controls) -> list[_Side]:
        """One CPU core, all that a run would have, and the GPU, be it only in thought."""
        planner, on = self._planner, controls.on
        here = planner.place(on)
        plain = here.backend is None and not here.gpu
        cpu = here if plain else self._place(_CPU)
        way = on if plain else _CPU
        sides = []
        if cpu is not None:
            workers = (controls.workers if plain else None) or cpu.workers
            nominal = _nominal(self._profile(way))
            if workers * cpu.cores > 1:
                one = Kind("1 CPU core", nominal=nominal)
                sides.append(_Side(one, cpu.one_core(), way, 1))
            kind = Kind(_counted(workers * cpu.cores, "CPU core"), nominal=nominal)
            sides.append(_Side(kind, cpu, way, workers, own=plain))
        offered = here if here.gpu else self.gpu_place()
        gpu = offered or (cpu or here).with_gpu()
        workers = (controls.workers if here.gpu else None) or gpu.workers
        if offered:
            way = on if here.gpu else GPU
        label = _counted(workers, "GPU") if workers > 1 else "GPU"
        kind = Kind(label, gpu=True, nominal=_nominal(self._profile(way), gpu=True))
        return [*sides, _Side(kind, gpu, way, workers, own=here.gpu)]

    def _place(self, on: str) -> Place | None:
        try:
            return self._planner.dreamer.place(on)
        except PilotError:
            return None

    def _profile(self, on: str | None) -> MachineProfile | None:
        try:
            return self._planner.dreamer.profile(on)
        except PilotError:
            return None

    # ---- prices

    def _row(
        self, controls: Controls, limit: int, sides: list[_Side], wanted: Wanted
    ) -> WidthTimes | None:
        """A plan on each kind of worker; None if there is no plan."""
        mode = controls.modes[0]
        found = self._planner.at(controls, limit)
        candidate = next((one for one in found if one.configuration.mode == mode), found[0])
        if candidate.plan is None:
            return None
        key = (controls.family, limit, tuple(side.key for side in sides))
        known = self._rows.get(key)
        if known is None or known[0] is not candidate:
            known = candidate, self._priced(candidate, mode, sides, wanted)
            self._rows.put(key, known)
        return known[1]

    def _priced(
        self, candidate: Candidate, mode: str, sides: list[_Side], wanted: Wanted
    ) -> WidthTimes:
        own = candidate.prediction
        once = None if own is None else _once_s(own)
        made: list[Prediction | None] = []
        for side in sides:
            if side.own and candidate.configuration.mode == mode:
                made.append(own)
                continue
            prediction = self._price(candidate, mode, side, wanted, once)
            if once is None and prediction is not None:
                once = _once_s(prediction)
            made.append(prediction)
        return WidthTimes(
            width=candidate.width,
            limit=candidate.configuration.max_qubits,
            seconds=tuple(math.inf if one is None else one.makespan_s for one in made),
            intervals=tuple((math.inf, math.inf) if one is None else one.interval for one in made),
            sameness=candidate.sameness,
        )

    def _price(
        self,
        candidate: Candidate,
        mode: str,
        side: _Side,
        wanted: Wanted,
        once: tuple[float, float] | None,
    ) -> Prediction | None:
        """What a plan takes on one kind of worker; None if it cannot run there."""
        way = replace(candidate.configuration, mode=mode, on=side.on, workers=side.workers)
        plan = candidate.plan
        try:
            with self._planner.pricing:
                case = self._pricer.case(wanted, way, side.place, _ALLOWANCE_S, plan=plan)
            if once is not None:
                case = replace(case, plan_s=once[0], lower_s=once[1])
            return self._pricer.price_case(case, wanted, way, side.place, plan)
        except (QDreamerError, PilotError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class _Side:
    """A kind of worker, and how to price on it.

    Attributes:
        kind: What it is called.
        place: Its workers.
        on: How a run would ask for it.
        workers: That share the work.
        own: What the controls say, so that the planner prices it.
    """

    kind: Kind
    place: Place
    on: str | None
    workers: int
    own: bool = False

    @property
    def key(self) -> Hashable:
        """Equal for sides on which everything takes the same."""
        place = self.place
        values = place.belief.values.tobytes()
        return (self.kind, self.on, self.workers, self.own, place.cores, place.nodes, values)


def _undecided(compared: Comparison, found: dict[int, WidthTimes | None]) -> int | None:
    """A width half way between two of which a GPU pays for one only; None if there is none."""
    faster = compared.faster
    for k, (low, high) in enumerate(zip(compared.rows, compared.rows[1:], strict=False)):
        between = (low.limit + high.limit) // 2
        if faster[k] != faster[k + 1] and low.limit < between < high.limit and between not in found:
            return between
    return None


def _once_s(prediction: Prediction) -> tuple[float, float]:
    """What planning took, and making the plan ready."""
    place = PLACE["planning"]
    found = {each.name: float(each.counts[place]) * 1e-9 for each in prediction.accounts}
    return found.get("plan", 0.0), found.get("lower", 0.0)


def _nominal(profile: MachineProfile | None, *, gpu: bool = False) -> bool:
    """Whether nothing was ever measured or seen of what a profile says of a kind of worker."""
    if profile is None:
        return True
    if gpu:
        return profile.gpu_nominal
    return profile.source == "nominal" and profile.belief.observations == 0


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
