"""What had to wait for what in a run, and for how long each task kept its worker: plain data.

In these terms a run depends little on how many workers there were, so that it can be played through
with others (`characterise/replay.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qdreamer_lab.workflow.spent import TaskTimes

__all__ = ["Portion", "Step", "Trace", "Traced", "traced"]


@dataclass(frozen=True, slots=True)
class Portion:
    """A task's part of work that is divided among as many workers as there are.

    Attributes:
        items: In how many parts it can be divided at most.
        amount: How much it is, in any unit that is the same for all such tasks of a run.
    """

    items: int = 1
    amount: float = 0.0


class Step(NamedTuple):
    """A thread of the notebook has submitted a task, or has been given a result.

    Attributes:
        thread: Which; anything that is equal to itself only.
        number: The task's.
        when: Unix seconds of the notebook's machine.
        heard: Whether it was given the result.
    """

    thread: Any
    number: int
    when: float
    heard: bool


@dataclass(frozen=True, slots=True)
class Traced:
    """A task of a trace. Other tasks are named by their places in the trace.

    Attributes:
        previous: What its thread had submitted before it, if anything.
        heard: Those whose results the thread had waited for since.
        inputs: Those whose results it takes, so that it starts after them.
        gap_s: From the last of `previous` and `heard` to its own submit.
        busy_s: For how long its worker was taken up.
        portion: What it is of work that is divided among workers.
    """

    previous: int | None
    heard: tuple[int, ...]
    inputs: tuple[int, ...]
    gap_s: float
    busy_s: float
    portion: Portion = Portion()


@dataclass(frozen=True, slots=True)
class Trace:
    """A run as what had to wait for what.

    Attributes:
        tasks: In the order in which they were submitted.
        tail_s: What the notebook did after the last result.
        wall_s: The whole run.
    """

    tasks: tuple[Traced, ...]
    tail_s: float
    wall_s: float


def traced(
    log: Sequence[Step],
    times: Mapping[int, TaskTimes],
    inputs: Mapping[int, Sequence[int]],
    portions: Mapping[int, Portion],
    begun: float,
    ended: float,
) -> Trace:
    """The trace of a run.

    A thread that submits for the first time is taken to have waited for all that anybody has heard.

    Args:
        log: What threads of the notebook did, in that order.
        times: When tasks ran, by their numbers; those that are missing did not.
        inputs: The numbers of the tasks whose results each takes.
        portions: Of those tasks that are parts of divided work.
        begun: When the run began, unix seconds.
        ended: When it ended.
    """
    place: dict[int, int] = {}
    found: list[Traced] = []
    last_of: dict[Any, tuple[int | None, float]] = {}
    since: dict[Any, list[Step]] = {}
    every: list[Step] = []
    for one in log:
        if one.number not in times:
            continue
        if one.heard:
            every.append(one)
            since.setdefault(one.thread, []).append(one)
            continue
        known = one.thread in last_of
        previous, moment = last_of.get(one.thread, (None, begun))
        waited = since.pop(one.thread, []) if known else list(every)
        moment = max([moment, *(step.when for step in waited)])
        place[one.number] = len(found)
        found.append(
            Traced(
                previous=previous,
                heard=tuple(dict.fromkeys(place[step.number] for step in waited)),
                inputs=tuple(place[k] for k in inputs.get(one.number, ()) if k in place),
                gap_s=max(0.0, one.when - moment),
                busy_s=times[one.number].ended - times[one.number].begun,
                portion=portions.get(one.number, Portion()),
            )
        )
        since.pop(one.thread, None)
        last_of[one.thread] = place[one.number], one.when
    over = max([step.when for step in every] or [max((s.when for s in log), default=begun)])
    return Trace(tuple(found), max(0.0, ended - over), ended - begun)
