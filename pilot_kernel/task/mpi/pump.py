"""What ranks write, on its way into the output of their task: live, and marked line by line."""

import codecs
import contextlib
import os
import selectors
import time
from collections.abc import Callable
from typing import Any

from pilot_kernel.task.wire.marked_lines import MarkedLines

__all__ = ["Pump"]

_CHUNK = 65_536
_UNFINISHED_S = 1.0
_LOOK_S = 0.25

Written = Callable[[str, str], None]


class _Source:
    """One stream of one rank, or of the launcher."""

    def __init__(
        self, stream: str, mark: str, copy: list[str] | None, shown: Callable[[], bool]
    ) -> None:
        self.stream = stream
        self.shown = shown
        self.lines = MarkedLines(mark)
        self.copy = copy
        self.decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self.since = 0.0  # when the line was begun that is unfinished

    def take(self, data: bytes) -> str:
        """The marked lines that are whole by now; with no data, all that is left."""
        text = self.decoder.decode(data, final=not data)
        if self.copy is not None:
            self.copy.append(text)
        waited = self.lines.unfinished
        whole = self.lines.add(text)
        if whole or not waited:
            self.since = time.monotonic()
        return whole if data else whole + self.lines.finish()


class Pump:
    """Reads from pipes until the launcher has ended.

    Args:
        written: Called with (stream, text): whole lines.
    """

    def __init__(self, written: Written) -> None:
        self._written = written
        self._selector = selectors.DefaultSelector()
        self._sources: dict[int, _Source] = {}

    def add(
        self,
        pipe: int,
        stream: str,
        mark: str,
        copy: list[str] | None = None,
        shown: Callable[[], bool] = lambda: True,
    ) -> None:
        """Read from a descriptor, which is closed with the pump.

        Args:
            pipe: The descriptor.
            stream: What is read goes to `stdout` or `stderr`.
            mark: What its lines begin with.
            copy: Takes what is read as it is, without marks.
            shown: Asked whether what is read is to be passed on.
        """
        os.set_blocking(pipe, False)
        self._sources[pipe] = _Source(stream, mark, copy, shown)
        self._selector.register(pipe, selectors.EVENT_READ)

    def run(self, process: Any) -> None:
        """Pass on what comes until a process has ended, and what is there by then."""
        end = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
        if end is not None:
            self._selector.register(end, selectors.EVENT_READ)
        try:
            while process.poll() is None:
                for key, _ in self._selector.select(_LOOK_S):
                    if key.fd != end:
                        self._read(int(key.fd))
                self._show_unfinished()
        finally:
            if end is not None:
                self._selector.unregister(end)
                os.close(end)
        self.drain()

    def drain(self) -> None:
        """Pass on what is there."""
        for pipe, source in self._sources.items():
            while self._read(pipe):
                pass
            self._pass_on(source, source.take(b""))

    def close(self) -> None:
        """Close all pipes."""
        self._selector.close()
        for pipe in self._sources:
            os.close(pipe)
        self._sources.clear()

    def _read(self, pipe: int) -> bool:
        """Pass on what is there of one pipe, or its first part; whether there may be more."""
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return False
        if data:
            source = self._sources[pipe]
            self._pass_on(source, source.take(data))
        else:
            with contextlib.suppress(KeyError):  # nobody is left to write, and was before
                self._selector.unregister(pipe)
        return bool(data)

    def _show_unfinished(self) -> None:
        """End a line that nobody has ended for a while, so that it is seen."""
        late = time.monotonic() - _UNFINISHED_S
        for source in self._sources.values():
            if source.lines.unfinished and source.since < late:
                self._pass_on(source, source.lines.finish())

    def _pass_on(self, source: _Source, text: str) -> None:
        if text and source.shown():
            self._written(source.stream, text)
