"""The Dask client of a session: it sends at once, in few messages, and never reconnects.

An agent that hangs up has ended, and its tasks with it; trying to reach it again would only delay
the bad news.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dask._task_spec import Task as Node
from dask._task_spec import parse_input
from distributed import Client, Future
from distributed.protocol.serialize import Serialized, ToPickle, serialize, to_serialize
from distributed.spans import SpanMetadata

from pilot_kernel.errors import ShipError

__all__ = ["AgentClient"]

_BATCH_S = 0.002  # Dask's client gathers messages for 10 ms, which is most of a round trip
_MOST = 1_000  # tasks in one message, so that the scheduler gets round to others in between


@dataclass(frozen=True)
class _Batch:
    """Tasks for the scheduler, as it takes graphs: what Dask calls an expression."""

    graph: dict[str, Node]
    notes: dict[str, dict[str, Any]]

    def __dask_graph__(self) -> dict[str, Node]:
        return self.graph

    def __dask_annotations__(self) -> dict[str, dict[str, Any]]:
        return self.notes


@dataclass(frozen=True)
class _Letter:
    """One task that waits to be sent."""

    node: Node
    notes: dict[str, Any]
    held: tuple[Any, ...]  # its own future and those it depends on: Dask forgets what nobody holds


class AgentClient(Client):  # type: ignore[misc]
    """A client for the life of one connection.

    Dask's own `submit` makes a message of every task, and wakes the thread that sends it. Thousands
    of tasks in a loop then take longer to submit than to run. Here what is submitted waits for that
    thread, which sends all there is in one message: a single task leaves as soon as it did, and of
    many the first leave while the others are still being submitted.
    """

    status: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._letters: list[_Letter] = []
        self._posting = threading.Lock()
        super().__init__(*args, **kwargs)

    async def _ensure_connected(self, timeout: float | None = None) -> None:
        await super()._ensure_connected(timeout)
        self.scheduler_comm.interval = _BATCH_S

    async def _reconnect(self) -> None:
        self._timeout = 0  # the base class cancels all futures, then tries for so long
        await super()._reconnect()

    def farewell(self, within_s: float) -> bool:
        """Send no more, and wait until the agent has read all: it hangs up then.

        If this side hung up first, what it has not read itself would make the system throw away
        what it has sent.

        Returns:
            Whether the agent has read all, or is gone.
        """
        if self.status != "running":
            return True
        self.status = "closing"  # so that it is not taken for lost
        return bool(self.sync(self._say_farewell, within_s))

    async def _say_farewell(self, within_s: float) -> bool:
        self._send_to_scheduler({"op": "close-stream"})
        _, listening = await asyncio.wait([self._handle_report_task], timeout=within_s)
        return not listening

    def soon(self, call: Callable[..., Any], *args: Any) -> None:
        """Call or await `call(*args)` on the client's event loop, in order, waking it up once."""
        with self._posting:
            self._calls.append((call, args))
            first = len(self._calls) == 1
        if first:
            self.loop.add_callback(self._do_calls)

    def _do_calls(self) -> None:
        with self._posting:
            calls, self._calls = self._calls, []
        for call, args in calls:
            self.loop.asyncio_loop.create_task(call(*args))

    def post(self, key: str, function: Any, args: tuple[Any, ...], notes: dict[str, Any]) -> Future:
        """Submit `function(*args)` as a task.

        Args:
            key: Its key, which no other task may ever have had.
            function: What workers run.
            args: Its arguments; Dask futures stand for their results.
            notes: Its annotations.

        Raises:
            ConnectionError: The line is cut.
            ShipError: One of the futures is of another client: here, nobody would bring its result.
        """
        if self.status != "running":
            raise ConnectionError(f"the client is {self.status}")
        for arg in args:
            if isinstance(arg, Future) and arg.client is not self:
                raise ShipError(f"task {arg.key} is of another session: pass its result() instead")
        future = Future(key, self)
        node = Node(key, function, *(parse_input(arg) for arg in args))
        letter = _Letter(node, notes, (future, *args))
        with self._posting:
            self._letters.append(letter)
            first = len(self._letters) == 1
        if first:
            self.loop.add_callback(self._send_letters)
        return future

    def _send_letters(self) -> None:
        with self._posting:
            letters, self._letters = self._letters, []
        for begin in range(0, len(letters), _MOST):
            self._send_to_scheduler_safe(_message(letters[begin : begin + _MOST]))


def _message(letters: list[_Letter]) -> dict[str, Any]:
    """What Dask's client sends for a graph, with each task's annotations."""
    notes: dict[str, dict[str, Any]] = {}
    for letter in letters:
        for note, value in letter.notes.items():
            notes.setdefault(note, {})[letter.node.key] = value
    batch = _Batch({letter.node.key: letter.node for letter in letters}, notes)
    return {
        "op": "update-graph",
        "expr_ser": Serialized(*serialize(to_serialize(batch), on_error="raise")),
        "keys": set(batch.graph),
        "internal_priority": {key: at for at, key in enumerate(batch.graph)},
        "submitting_task": None,
        "fifo_timeout": 0,
        "actors": False,
        "code": ToPickle(()),
        "annotations": ToPickle({}),
        "span_metadata": ToPickle(SpanMetadata(collections=[{"type": "Future"}])),
    }
