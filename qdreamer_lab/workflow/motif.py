"""What a motif is: parameters with presets, a run on a session, a report."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from concurrent.futures import CancelledError
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pilot_kernel.resource.pilot import PilotState
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.report import MotifReport
from qdreamer_lab.workflow.run import Run
from qdreamer_lab.workflow.settings import read_settings, setting_text

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from pilot_kernel.resource.pilot import PilotStatus
    from pilot_kernel.sessions.session import Session
    from qdreamer_lab.workflow.outcome import Outcome

__all__ = ["Motif"]

_LOOK_S = 0.02
_PATIENCE_S = 60.0
"""How long all workers of a pilot are waited for when some are up."""


@dataclass(frozen=True, kw_only=True)
class Motif(ABC):
    """A pattern of quantum-classical coupling as a small application.

    A motif is a frozen dataclass of its parameters; the fields' defaults are the preset `small`,
    which takes seconds on a laptop. A subclass says what it is called, checks its parameters in
    `__post_init__`, and does its work in `work`. It is listed in `registry.py`, or as an entry
    point of the group `qdreamer_lab.motifs`.

    Attributes:
        on: A kind of worker or a pilot's name, as `Session.submit` takes it.
        seed: Of all random numbers.
    """

    name: ClassVar[str]
    """What `%motif` and the console call it."""

    title: ClassVar[str]
    """The same in words."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {}
    """What presets other than `small` change, by name; each motif has `paper`."""

    grows: ClassVar[tuple[str, ...]] = ()
    """The whole numbers that make n times the work when they are n times as large; see `grown`."""

    on: str | None = None
    seed: int = 7

    # ---- parameters

    @classmethod
    def preset(cls, name: str) -> Self:
        """The motif with the parameters of a preset.

        Raises:
            MotifError: There is none of that name.
        """
        known = {"small": {}, **cls.presets}
        if name not in known:
            raise MotifError(f"preset {name!r}: {cls.name} has {', '.join(known)}")
        return cls(**known[name])

    @classmethod
    def small(cls) -> Self:
        """What takes seconds on a laptop."""
        return cls.preset("small")

    @classmethod
    def paper(cls) -> Self:
        """What the published measurements were made with."""
        return cls.preset("paper")

    def set(self, texts: Iterable[str]) -> Self:
        """The same motif with other parameters, each written as `key=value`.

        Raises:
            MotifError: A key is no parameter, a value is out of range, or would make no difference.
        """
        given = read_settings(type(self), texts)
        made = replace(self, **given)
        for key, why in made.unused().items():
            if key in given:
                raise MotifError(
                    f"--set {key}={setting_text(given[key])}: it makes no difference with {why}; "
                    "leave it out"
                )
        return made

    def unused(self) -> dict[str, str]:
        """The parameters that make no difference, and with which others; reports leave them out."""
        return {}

    def parameters(self) -> dict[str, Any]:
        """Its parameters by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def at_least(self, **least: float) -> None:
        """Check that parameters are not too small.

        Args:
            **least: The smallest value of each.

        Raises:
            MotifError: One is smaller, or no number.
        """
        defaults = {each.name: each.default for each in fields(self)}
        for key, bound in least.items():
            value, default = getattr(self, key), defaults[key]
            first = default[0] if isinstance(default, tuple) and default else default
            kinds = (int,) if isinstance(first, int) else (int, float)
            for each in value if isinstance(value, tuple) else (value,):
                number = isinstance(each, kinds) and not isinstance(each, bool)
                if not number or not bound <= each < math.inf:
                    what = "a whole number, " if kinds == (int,) and not number else ""
                    raise MotifError(
                        f"{self.name}: {key}={setting_text(value)}: {what}at least {bound:g}"
                    )

    def one_of(self, **choices: Iterable[str]) -> None:
        """Check that parameters are among the words that they can be.

        Args:
            **choices: The words that each may be.

        Raises:
            MotifError: One is not.
        """
        for key, words in choices.items():
            if getattr(self, key) not in (known := list(words)):
                raise MotifError(
                    f"{self.name}: {key}={getattr(self, key)}: one of {', '.join(known)}"
                )

    def grown(self, times: int) -> Self | None:
        """The same motif with so many times the work, for weak scaling; None if there is none.

        Args:
            times: At least 1.

        Raises:
            MotifError: It would be more than the motif takes.
        """
        if times == 1:
            return self
        if not self.grows:
            return None
        return replace(self, **{key: times * getattr(self, key) for key in self.grows})

    # ---- what a subclass says

    @abstractmethod
    def work(self, run: Run) -> Outcome:
        """Do it: `run.submit` what is to run on workers, time with `run.doing` what runs here."""

    def places(self) -> tuple[str | None, ...]:
        """Where work goes, as `on=` takes it."""
        return (self.on,)

    def cores(self) -> int:
        """Cores that its widest task needs."""
        return 1

    def memory_bytes(self) -> int:
        """Memory that its largest task needs."""
        return 0

    def warm_up(self) -> Callable[[], Any]:
        """What is called on each worker before the clock starts: a function of a module.

        That loads the module and what it imports; it may do more.
        """
        return _nothing

    def load(self) -> None:
        """Load here, before the clock starts, what takes long; raise if it is not there."""
        return

    # ---- a run

    def run(
        self,
        session: Session,
        *,
        say: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
    ) -> MotifReport:
        """Run it and measure it.

        Args:
            session: Where its tasks run; a local pilot is added if it has none.
            say: Takes lines on how far it is.
            stop: Set from elsewhere to give up.

        Raises:
            MotifError: A pilot is too small; it says what is needed.
            CancelledError: `stop` was set.
        """
        asked = time.perf_counter()
        self.load()
        pilots = self._ready(session, stop)
        for place in dict.fromkeys(self.places()):
            session.broadcast(self.warm_up(), on=place, name=f"{self.name}-warm-up").result()
        ready_s = time.perf_counter() - asked
        run = Run(session, say or (lambda _: None), stop)
        begun = time.time()
        try:
            outcome = self.work(run)
        finally:
            ended = time.time()
            run.cancel()
        times = run.times(ended, pilots)
        return MotifReport(
            motif=self.name,
            title=self.title,
            parameters={k: v for k, v in self.parameters().items() if k not in self.unused()},
            workers=sum(pilot.workers for pilot in pilots),
            pilots=tuple(pilot.name for pilot in pilots),
            ready_s=ready_s,
            spent=run.spent(begun, ended, pilots, times),
            traffic=run.traffic(),
            outcome=outcome,
            trace=run.trace(begun, ended, times),
        )

    def _ready(self, session: Session, stop: threading.Event | None) -> list[PilotStatus]:
        """The pilots that its work can go to, once their workers are up."""
        for place in self.places():
            session.candidates(place)
        self._check_size(session)
        begun = time.monotonic()
        while True:
            pilots = {p.name: p for place in self.places() for p in session.candidates(place)}
            found = list(pilots.values())
            up = sum(pilot.workers for pilot in found)
            coming = any(p.workers < p.wanted and p.state is not PilotState.FAILED for p in found)
            if up and (not coming or time.monotonic() - begun > _PATIENCE_S):
                return found
            if not coming:
                notes = "; ".join(f"{p.name}: {p.note or p.state}" for p in found)
                raise MotifError(f"{self.name}: no worker is up or will be ({notes})")
            if stop is not None and stop.is_set():
                raise CancelledError
            time.sleep(_LOOK_S)

    def _check_size(self, session: Session) -> None:
        for place in self.places():
            found = session.candidates(place)
            most = max(max(p.cores_per_worker, p.most_cores) for p in found)
            # A task with the cores of several workers has their memory, too.
            room = max(
                max(p.largest_worker_bytes, p.memory_per_worker_bytes)
                * max(1, -(-self.cores() // max(1, p.cores_per_worker)))
                for p in found
            )
            names = ", ".join(pilot.name for pilot in found)
            if self.cores() > most:
                raise MotifError(
                    f"{self.name} needs {self.cores()} cores for a task, and pilots ({names}) "
                    f"have {most}; add one with cores_per_node={self.cores()}"
                )
            if room and self.memory_bytes() > room:
                raise MotifError(
                    f"{self.name} needs {self.memory_bytes() / 2**30:.3g} GiB for a task, and "
                    f"workers of pilots ({names}) have {room / 2**30:.3g} GiB; add one with "
                    "larger workers, or make the problem smaller"
                )


def _nothing() -> None:
    """For motifs whose tasks need nothing that takes long to load."""
