"""What runs on a worker: a call that is timed, with its arguments and its result as bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pilot_kernel.task.wire.packing import Packed, pack, unpack, unpack_call
from qdreamer_lab.workflow.spent import Kind, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Split", "Told", "answer", "answer_of_ranks"]


@dataclass(frozen=True)
class Split:
    """What a function returns that did work of several kinds.

    Attributes:
        value: Its result.
        seconds: How much of its time went to other kinds of work than the one it was submitted as.
    """

    value: Any
    seconds: Mapping[Kind, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a call that is over.

    Attributes:
        spans: What was done, when.
        size: Bytes of its result.
    """

    spans: tuple[Span, ...]
    size: int


@dataclass(frozen=True)
class Answer:
    """The result of a timed call, as it travels.

    Attributes:
        packed: The result.
        told: What is known of the call, and of all whose results it took, by their numbers.
    """

    packed: Packed
    told: Mapping[int, Told]

    def open(self) -> Any:
        """The result."""
        return unpack(self.packed)


def answer(call: Packed, kind: Kind, number: int, *inputs: Any) -> Answer:
    """Do a call, and say what its time went to.

    Args:
        call: As `pack_call` makes it.
        kind: What its work is, unless it returns a `Split`.
        number: By which it is known.
        *inputs: Answers of other tasks, and shared values, that stand for arguments.
    """
    begun = time.time()
    answers = [one for one in inputs if isinstance(one, Answer)]
    values = [one.open() if isinstance(one, Answer) else one for one in inputs]
    function, args, kwargs = unpack_call(call, values)
    opened = time.time()
    packed, spans = _packed(function(*args, **kwargs), kind, begun, opened)
    before = {key: told for one in answers for key, told in one.told.items()}
    return Answer(packed, {**before, number: Told(spans, packed.size)})


def answer_of_ranks(comm: Any, call: Packed, kind: Kind, number: int) -> Answer:
    """Do a call in MPI ranks: `fn(comm, *args)`; what rank 0 returns is the result."""
    begun = time.time()
    function, args, kwargs = unpack_call(call, ())
    opened = time.time()
    packed, spans = _packed(function(comm, *args, **kwargs), kind, begun, opened)
    return Answer(packed, {number: Told(spans, packed.size)})


def _packed(made: Any, kind: Kind, begun: float, opened: float) -> tuple[Packed, tuple[Span, ...]]:
    """The result of a call that has just returned, and what its time went to."""
    done = time.time()
    split = made if isinstance(made, Split) else Split(made)
    packed = pack(split.value)
    spans = [Span("communication", begun, opened)]
    at = opened
    for other, seconds in split.seconds.items():
        if other != kind:
            until = min(done, at + max(0.0, seconds))
            spans.append(Span(other, at, until))
            at = until
    spans += [Span(kind, at, done), Span("communication", done, time.time())]
    return packed, tuple(spans)
