"""The pilots of a session: adding them, how they stand, and which of them could run a task."""

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import AgentLostError, PilotError, PlacementError
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.pilot import Pilot, PilotStatus, read_status
from pilot_kernel.task.notebook.placement import NO_NEEDS, Needs, candidates

__all__ = ["PilotBook"]


class PilotBook:
    """What a session knows of its pilots; it asks the agent only when that may have changed.

    Args:
        call: Calls one of the agent's handlers by name.
        first: The pilot that is added if there is none at all; a local one by default.
    """

    def __init__(self, call: Callable[..., Any], first: PilotDescription | None = None) -> None:
        self._call = call
        self._first = first or PilotDescription()
        self._adding = threading.Lock()
        self._known: list[PilotStatus] = []
        self._outdated = threading.Event()  # workers have changed since `_known` was asked for

    def workers_changed(self) -> None:
        """Take note that workers have come or gone, or may use more memory, or less."""
        self._outdated.set()

    def add(self, description: PilotDescription) -> Pilot:
        """Ask the agent for a pilot."""
        with self._adding:
            return self._pilot(self._add(description))

    def begin(self) -> None:
        """As `add_first`; what is in its way is told to the first task that needs it."""
        try:
            self.add_first()
        except AgentLostError:
            raise
        except PilotError:
            pass

    def add_first(self) -> None:
        """Ask for the pilot that a session begins with, if there is none."""
        with self._adding:
            if not self.statuses():
                self._add(self._first, unless_any=True)  # others may be about to add theirs

    def _add(self, description: PilotDescription, *, unless_any: bool = False) -> str:
        keys = dataclasses.asdict(description)
        name: str = self._call("pilot_add", description=keys, unless_any=unless_any)
        self._known = self._ask()
        return name

    def script(self, description: PilotDescription) -> str:
        """The batch script of the first job of a pilot that is not added yet."""
        script: str = self._call("pilot_script", description=dataclasses.asdict(description))
        return script

    def _pilot(self, name: str) -> Pilot:
        return Pilot(name, self._call, self.statuses)

    def pilots(self) -> list[Pilot]:
        """A handle on each pilot."""
        return [self._pilot(status.name) for status in self.statuses()]

    def statuses(self) -> list[PilotStatus]:
        """How every pilot stands now."""
        self._outdated.clear()
        self._known = self._ask()
        return self._known

    def _ask(self) -> list[PilotStatus]:
        return [read_status(row) for row in self._call("pilot_list")]

    def candidates(self, on: str | None, needs: Needs = NO_NEEDS) -> list[PilotStatus]:
        """The pilots that could run a task; see `Session.candidates`."""
        if not self._known:
            self.add_first()
        if self._outdated.is_set():  # another notebook may have stopped it
            self.statuses()
        try:
            return candidates(on, self._known, needs)
        except PilotError:
            return candidates(on, self.statuses(), needs)  # another notebook may have added it

    def usable_now(self, on: str | None) -> list[PilotStatus]:
        """The pilots that could run a task, as they stand now; see `Session.pilots_for`."""
        found = self._usable(on)
        if self._outdated.is_set() or not any(pilot.workers for pilot in found):
            self.statuses()
            found = self._usable(on)
        return found

    def _usable(self, on: str | None) -> list[PilotStatus]:
        try:
            return candidates(on, self._known)
        except PlacementError:
            return []
