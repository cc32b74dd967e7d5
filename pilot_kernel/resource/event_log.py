"""The event log of a session: what happened to its tasks, workers and pilots, one event a line.

The agent writes it, outside its own folder, so it is there when the agent is not any more. A line
is a JSON object with `at` (unix seconds), `event` (its kind) and facts of that kind. What is
written waits in memory for a second at most; a log that grows too long begins anew, and the piece
before the present one is kept.
"""

import contextlib
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _quote
from pathlib import Path
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import registry

__all__ = ["VERSION", "EventLog", "History", "facts", "log_path", "logs", "prune", "read"]

VERSION = 1
"""Version of the schema; the first line of each file names it."""

_SUFFIX = ".jsonl"
_BEFORE = ".1.jsonl"
_MOST_BYTES = 64_000_000  # a file; about 200,000 tasks
_MOST_WAITING = 200_000  # lines in memory while a disk does not take them
_LATEST_S = 1.0
_KEPT_SESSIONS = 50
_KEPT_S = 30 * 86_400.0

log = logging.getLogger("pilot_kernel.agent")
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str).encode


class EventLog:
    """Writes events to a file that only its owner reads, in a thread of its own.

    A disk that is full or slow costs events, never the agent: how many were lost is an event.

    Args:
        path: The file; events are added to it.
        about: Facts about the session, for the first line of each file.
        opening: Gives the events that a further file is to begin with, so that it can be read by
            itself.
        most_bytes: How long a file may get before a new one is begun.
    """

    def __init__(
        self,
        path: Path,
        about: Mapping[str, Any],
        opening: Callable[[], Iterable[Mapping[str, Any]]] = tuple,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self.path = path
        self._about = about
        self._opening = opening
        self._most_bytes = most_bytes
        self._part = 1
        self._begun = False  # the present file
        self._torn = False
        self._lost = 0
        self._lines: deque[str] = deque()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._writing = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(OSError):  # it is tried again with the first event
            self._write([])  # whoever is killed at once leaves a log, too
        self._writer = threading.Thread(target=self._write_on, name="pilot-events", daemon=True)
        self._writer.start()

    def add(self, event: str, at: float | None = None, /, **facts: Any) -> None:
        """Note an event; it is on disk within a second or so.

        Args:
            event: What kind of event it is.
            at: When it was, unix seconds; now by default.
            **facts: More about it, as JSON has it.
        """
        if len(self._lines) >= _MOST_WAITING:
            self._lost += 1
            return
        self._lines.append(_line(event, time.time() if at is None else at, facts))
        if not self._wanted.is_set():
            self._wanted.set()

    @property
    def closed(self) -> bool:
        """Whether no more is written."""
        return self._closing.is_set()

    def _write_on(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._closing.wait(_LATEST_S)
            self.flush()

    def flush(self) -> None:
        """Write what waits, now."""
        with self._writing:
            self._wanted.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if not lines:
                return
            try:
                self._write(lines)
            except OSError as error:
                if not self._torn:
                    log.warning("the event log takes no more events for now: %s", error)
                self._lost += len(lines)
                self._torn = True

    def _write(self, lines: list[str]) -> None:
        if self._lost:
            lines = [_line("events-lost", time.time(), {"count": self._lost}), *lines]
        if not self._begun:
            lines = [*self._head(), *lines]
        if self._torn:
            lines = ["", *lines]  # what the last attempt may have left behind is no line
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
            size = file.tell()
        self._begun, self._torn, self._lost = True, False, 0
        if size > self._most_bytes:
            self.path.replace(_before(self.path))
            self._begun = False
            self._part += 1

    def _head(self) -> list[str]:
        head = {"version": VERSION, "part": self._part, **self._about}
        so_far = self._opening() if self._part > 1 else ()
        return [
            _line("log", time.time(), head),
            *(_line(each["event"], each["at"], facts(each)) for each in so_far),
        ]

    def close(self) -> None:
        """Write what waits, and write no more."""
        self._closing.set()
        self._wanted.set()
        self._writer.join(_LATEST_S)
        self.flush()


def _line(event: str, at: float, facts: Mapping[str, Any]) -> str:
    # Twice as fast as to encode all of it at once, and an agent does this for every task.
    parts = [f'{{"at":{at:.4f},"event":"{event}"']
    for name, fact in facts.items():
        kind = type(fact)
        shown = _quote(fact) if kind is str else fact if kind is int else _encode(fact)
        parts.append(f',"{name}":{shown}')
    parts.append("}")
    return "".join(parts)


def facts(event: Mapping[str, Any]) -> dict[str, Any]:
    """What an event tells besides its time and its kind."""
    return {name: fact for name, fact in event.items() if name not in ("at", "event")}


@dataclass(frozen=True)
class History:
    """The events of one session, as far as its log goes back.

    Attributes:
        path: The log.
        events: The events, in the order in which they were written.
        unreadable: How many lines were cut short, or are no events.
        whole: Whether it goes back to the beginning: the log of a very long session does not.
    """

    path: Path
    events: tuple[dict[str, Any], ...]
    unreadable: int
    whole: bool


def folder() -> Path:
    """Where the logs of all sessions of this user lie."""
    return registry.root() / registry.LOGS


def log_path(agent_id: str) -> Path:
    """Where the log of an agent's session lies, or would."""
    return folder() / f"{agent_id}{_SUFFIX}"


def _before(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(_SUFFIX) + _BEFORE)


def logs() -> list[Path]:
    """The logs of this user's sessions, those of the latest last."""
    found = [path for path in folder().glob(f"*{_SUFFIX}") if not path.name.endswith(_BEFORE)]
    times: dict[Path, float] = {}
    for path in found:
        with contextlib.suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime
    return sorted(times, key=lambda path: (times[path], path.name))


def read(path: Path) -> History:
    """Read a log, also while it is written, or when its agent was killed amid a line.

    Raises:
        PilotError: There is none, or it is not of this version.
    """
    path = Path(path)
    lines: list[bytes] = []
    for each in (_before(path), path):
        with contextlib.suppress(FileNotFoundError):
            lines += each.read_bytes().splitlines()
    read = [event for line in lines if line and (event := _event(line)) is not None]
    heads = [event for event in read if event["event"] == "log"]
    if not heads:
        raise PilotError(f"{path} is no event log of a session; those that are: {_there()}")
    if (version := heads[0].get("version")) != VERSION:
        raise PilotError(
            f"{path} is an event log of version {version}; this pilot_kernel reads {VERSION}"
        )
    return History(
        path=path,
        events=tuple(read),
        unreadable=sum(bool(line) for line in lines) - len(read),
        whole=heads[0].get("part") == 1,
    )


def _there() -> str:
    return ", ".join(path.name for path in logs()[-5:]) or "none"


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    known = isinstance(event, dict) and isinstance(event.get("event"), str)
    return event if known and isinstance(event.get("at"), (int, float)) else None


def prune() -> None:
    """Remove the logs of sessions that ended over a month ago, or before the last fifty."""
    gone = [path for path in logs() if not _in_use(path)]
    latest = set(gone[-_KEPT_SESSIONS:])
    for path in gone:
        with contextlib.suppress(FileNotFoundError):  # another agent was quicker
            if path not in latest or time.time() - path.stat().st_mtime > _KEPT_S:
                _before(path).unlink(missing_ok=True)
                path.unlink()


def _in_use(path: Path) -> bool:
    """Whether the log's agent is there, or may be, on another host."""
    return (registry.root() / path.name.removesuffix(_SUFFIX)).exists()
