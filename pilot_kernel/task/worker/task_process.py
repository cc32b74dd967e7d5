"""A task process as its worker sees it: asked for, spoken to, ended and replaced.

Everything here runs on the worker's event loop, which nothing of a task can hold up.
"""

import asyncio
import codecs
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Sequence

import psutil

from pilot_kernel.resource.start_nursery import address_of
from pilot_kernel.task.wire.failure import crash_told
from pilot_kernel.task.wire.messages import LENGTH, Kind, Message, Reader, frame
from pilot_kernel.task.wire.packing import Bytes
from pilot_kernel.task.wire.pipes import abandoned, bytes_in_pipe

__all__ = ["TaskProcess", "resident"]

_PIPE_CHUNK = 65_536
_STUBBORN_S = 0.5
_CRASH = "crash"

Printed = Callable[[str, str], None]


class TaskProcess:
    """One task process.

    Attributes:
        pid: Its id, once it is up.
        inherited: Bytes of memory that it came up with, which it shares with all its kind.
        status: Its exit status, once it has ended: negative for the signal that killed it.
        prepared: Numbers of the functions that were to run before its first task, and have.
    """

    def __init__(self, printed: Printed) -> None:
        """Make a handle; `start` brings the process up.

        Args:
            printed: Called with (stream, text) for what a task writes.
        """
        self.pid = 0
        self.inherited = 0
        self.status: int | None = None
        self.prepared: set[int] = set()
        self._loop = asyncio.get_running_loop()
        self._printed = printed
        self._sockets: list[socket.socket] = []
        self._pipes: dict[int, tuple[str, codecs.IncrementalDecoder]] = {}
        self._told = b""
        self._crash = ""
        self._answer: asyncio.Future[Message | None] | None = None
        self._ended = self._loop.create_future()

    # ---- coming up

    async def start(self, path: str) -> None:
        """Have the nursery at `path` fork it.

        Raises:
            OSError: There is no nursery.
        """
        self._control = self._own(socket.socket(socket.AF_UNIX))
        with address_of(path) as address:
            await self._loop.sock_connect(self._control, address)
        mine, theirs = socket.socketpair()
        self._sock = self._own(mine)
        self._reader = Reader(mine)
        handed = [theirs.detach(), *map(self._pipe, ("stdout", "stderr", _CRASH))]
        try:
            await self._ask(handed)
        finally:
            for descriptor in handed:
                os.close(descriptor)
        up = self._up = self._loop.create_future()
        self._loop.add_reader(self._control, self._hear)
        self._loop.add_reader(self._sock, self._read)
        await up

    def _own(self, sock: socket.socket) -> socket.socket:
        sock.setblocking(False)
        self._sockets.append(sock)
        return sock

    def _pipe(self, stream: str) -> int:
        mine, theirs = os.pipe()
        os.set_blocking(mine, False)
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._pipes[mine] = (stream, decoder)
        self._loop.add_reader(mine, self._read_pipe, mine)
        return theirs

    async def _ask(self, descriptors: list[int]) -> None:
        request = json.dumps({"environment": dict(os.environ), "folder": _folder()}).encode()
        whole = LENGTH.pack(len(request)) + request
        sent = socket.send_fds(self._control, [whole], descriptors)
        await self._loop.sock_sendall(self._control, whole[sent:])

    def _hear(self) -> None:
        """The nursery tells that it is up, or has ended."""
        try:
            data = self._control.recv(4096)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        *lines, self._told = (self._told + data).split(b"\n")
        for line in lines:
            news = json.loads(line)
            if "pid" in news:
                self.pid = news["pid"]
                self.inherited = _resident_of(self.pid)
                self._up.set_result(None)
            else:
                self._end(news["status"])
        if not data and self.status is None:  # the nursery itself has gone
            self._strike()
            self._end(-signal.SIGKILL)

    # ---- a task

    @property
    def alive(self) -> bool:
        """Whether it can take a task."""
        return self.pid > 0 and self.status is None

    async def ask(self, parts: Sequence[Bytes]) -> Message | None:
        """Send a call and wait for its answer; None if the process ended instead.

        Args:
            parts: As `Kind.CALL` wants them.
        """
        self._answer = answer = self._loop.create_future()
        try:
            head = frame(Kind.CALL, parts)
            if sum(memoryview(part).nbytes for part in parts) < _PIPE_CHUNK:
                await self._loop.sock_sendall(self._sock, b"".join((head, *parts)))
            else:
                for part in (head, *parts):
                    await self._loop.sock_sendall(self._sock, part)
        except OSError:  # it died meanwhile, and `_hear` is told how
            pass
        try:
            message: Message | None = await answer
        finally:
            self._answer = None
            self._drain()
        return message

    def signal(self, number: int) -> None:
        """Send a signal to the process itself; SIGKILL ends all that it has started, too."""
        if number == signal.SIGKILL:
            self.end()
            return
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _read(self) -> None:
        for kind, parts in self._reader.read():
            if kind == Kind.OUTPUT:
                self._printed(str(parts[0], "utf-8"), str(parts[1], "utf-8"))
            elif self._answer is not None and not self._answer.done():
                self._answer.set_result((kind, parts))
        if self._reader.closed:
            self._loop.remove_reader(self._sock)

    def _read_pipe(self, pipe: int) -> None:
        """Take what is in a pipe, after what was printed before that.

        The process prints only when its pipes are empty. So what it has printed by now comes before
        what is in the pipe by now, and no more may be read than that. Who writes without end, holds
        up nobody.
        """
        size = bytes_in_pipe(pipe)
        if not size and not abandoned(pipe):
            return
        self._read()
        data = os.read(pipe, size)
        stream, decoder = self._pipes[pipe]
        text = decoder.decode(data, final=not data)
        if text and stream == _CRASH:
            self._crash += text
        elif text:
            self._printed(stream, text)
        if not data:
            self._loop.remove_reader(pipe)

    def _drain(self) -> None:
        """Take what a task has left in the pipes."""
        for pipe in self._pipes:
            self._read_pipe(pipe)
        told, self._crash = self._crash, ""
        if told:
            self._printed("stderr", crash_told(told))

    # ---- the end

    async def kill(self) -> None:
        """End it at once, with all that its tasks have started; what it had written is kept."""
        self.end()
        if self.alive:
            await asyncio.shield(self._ended)
        self.close()

    def end(self) -> None:
        """Have it ended."""
        if self.alive:
            with contextlib.suppress(OSError):
                self._control.send(b"k")
            self._loop.call_later(_STUBBORN_S, self._strike)

    def close(self) -> None:
        """Hang up, upon which the nursery ends what is left of it."""
        self._strike()
        for pipe in self._pipes:
            self._loop.remove_reader(pipe)
            os.close(pipe)
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()
        self._pipes, self._sockets = {}, []
        if self.status is None:
            self._end(-signal.SIGKILL)

    def _strike(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _end(self, status: int) -> None:
        self.status = status
        if self._pipes:
            self._drain()
        if not self._ended.done():
            self._ended.set_result(None)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)
        up = getattr(self, "_up", None)
        if up is not None and not up.done():
            up.set_exception(ConnectionError("the nursery has ended"))


def resident(process: psutil.Process) -> int:
    """Bytes of memory that a process has, shared or not; 0 if it has ended."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _resident_of(pid: int) -> int:
    try:
        return resident(psutil.Process(pid))
    except psutil.NoSuchProcess:  # it has just been killed
        return 0


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # somebody removed it
        return "/"
