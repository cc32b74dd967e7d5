"""Chores under way: so many at a time, judged as they end, taken along to another session."""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pilot_kernel
from pilot_kernel.errors import AgentLostError
from pilot_kernel.task.notebook.handle import Task
from tests.circuits.plain import flipped
from tests.pilot import chores
from tests.pilot.chores import Chore

PATIENCE = 1000  # workers that may die running a task: this is about tasks that get through
WEIGHTS = {
    "quick": 8,
    "sleeper": 4,
    "large": 4,
    "joined": 2,
    "quantum": 1,
    "raises": 1,
    "crashes": 1,
    "canceled": 3,
}


class Load:
    """Keeps so many chores under way, and judges those that have ended.

    Args:
        session: Where they run.
        log: The file in which they say when they begin and end.
        rng: Where choices come from.
        weights: How likely each kind is.
    """

    def __init__(
        self,
        session: pilot_kernel.Session,
        log: Path,
        rng: random.Random,
        weights: dict[str, int] = WEIGHTS,
    ) -> None:
        self.session = session
        self.weights = weights
        self.log = log
        self.rng = rng
        self.count = 0
        self.under_way: list[Chore] = []
        self.wrong: list[str] = []
        self.kinds: dict[int, str] = {}
        self.circuit = flipped()

    def add(self) -> None:
        """Submit one more."""
        self.count += 1
        kind = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
        chore = self._submit(kind, self.count)
        self._note_when_done(chore.task, chore.number)
        for part in chore.parts:
            self._note_when_done(part, -chore.number)
        self.under_way.append(chore)
        self.kinds[chore.number] = kind

    def _note_when_done(self, task: Task, number: int) -> None:
        def heard(done: Task) -> None:
            # Hanging up ends a task's handle, not the task.
            if not done.cancelled() and not isinstance(done.exception(), AgentLostError):
                chores.note(str(self.log), number, "done")

        task.add_done_callback(heard)

    def _submit(self, kind: str, number: int) -> Chore:
        submit = partial(self.session.submit, retries=PATIENCE)
        where = (str(self.log), number)
        if kind == "quantum":
            return Chore(number, kind, self.session.run(self.circuit, shots=200, retries=PATIENCE))
        if kind == "device":
            task = self.session.run(self.circuit, shots=200, retries=PATIENCE, on="device")
            return Chore(number, kind, task)
        if kind == "joined":
            part = submit(chores.large, str(self.log), -number)
            return Chore(number, kind, submit(chores.joined, *where, part), (part,))
        if kind in ("sleeper", "canceled"):
            return Chore(
                number, kind, submit(chores.sleeper, *where, self.rng.choice((0.05, 0.3, 1.0)))
            )
        return Chore(number, kind, submit(getattr(chores, kind), *where))

    def turn(self, killed: set[int]) -> None:
        """Cancel some, judge and release what has ended."""
        for chore in self.under_way:
            if chore.kind == "canceled" and self.rng.random() < 0.1:
                chore.task.cancel()
        over = [chore for chore in self.under_way if chore.task.done()]
        self.under_way = [chore for chore in self.under_way if not chore.task.done()]
        for chore in over:
            wrong = chore.wrong(killed, self.log)
            if wrong is not None:
                self.wrong.append(f"{chore.kind} {chore.number}: {wrong}")
            for task in (chore.task, *chore.parts):
                task.release()

    def take_along(self, session: pilot_kernel.Session, tasks: Sequence[Task]) -> None:
        """Go on in another session, which has taken up the tasks of the last one.

        Args:
            session: The session.
            tasks: Its tasks. Those that are not among them had ended before.
        """
        self.session = session
        there = {task.key: task for task in tasks}
        moved = []
        for chore in self.under_way:
            task, *parts = (there.get(each.key, each) for each in (chore.task, *chore.parts))
            moved.append(replace(chore, task=task, parts=tuple(parts)))
            for old, new, number in (
                (chore.task, task, chore.number),
                *(
                    (one, other, -chore.number)
                    for one, other in zip(chore.parts, parts, strict=True)
                ),
            ):
                if new is not old:
                    self._note_when_done(new, number)
        self.under_way = moved
