"""The nursery: a process for each host, with heavy libraries imported, that forks task processes.

A new one is up in milliseconds, and all of them share those libraries' memory. A worker connects,
hands over the descriptors that its task process will talk through, and stays connected: what it is
told on that connection is the process's id, and later its exit status. A worker that hangs up, or
dies, has its task process ended, with everything that process has started.

While nobody asks for anything it loads what other packages want loaded (`preload.py`), a step at
a time: from the start, while the workers come up, unless they need the only core. A task process
that is forked before all of it is done does the rest by itself, as long as it has no task, if its
tasks gain by it and can spare the memory.
"""

import argparse
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from pilot_kernel.resource import worker_environment
from pilot_kernel.task.process import preload
from pilot_kernel.task.process.serve import adopt_orphans, serve, settle_in
from pilot_kernel.task.wire.messages import LENGTH

__all__ = ["main"]

_PRELOAD = ("numpy", "qiskit_aer.primitives")

_LARGEST = 1 << 20
_PATIENCE_S = 2.0
_ROOM_BYTES = 10**9  # of a worker: with less, what a process loads ahead would be its tasks' memory
_DESCRIPTORS = 4  # the socket, and the pipes for stdout, stderr and what is said of a crash


@dataclass
class _Line:
    """The connection of one worker about one task process."""

    sock: socket.socket
    got: bytes = b""
    descriptors: list[int] = field(default_factory=list)
    pid: int | None = None  # 0 once it has ended


class _Nursery:
    def __init__(self, listener: socket.socket, lifeline: int) -> None:
        self.listener = listener
        self.lifeline = lifeline
        self.selector = selectors.DefaultSelector()
        self.lines: dict[socket.socket, _Line] = {}
        self.over = False
        self.steps = preload.steps()
        self.loads = worker_environment.usable_cores() > 1
        """Whether it is time to load, and something is left."""

    def serve(self) -> None:
        """Fork and watch until nobody holds the other end of the lifeline."""
        wake, woken = socket.socketpair()
        for end in (wake, woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        self.selector.register(self.listener, selectors.EVENT_READ, self._welcome)
        self.selector.register(self.lifeline, selectors.EVENT_READ, self._hear_end)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self._reap(wake))
        try:
            while not self.over:
                ready = self.selector.select(0 if self.loads else None)
                for key, _ in ready:
                    key.data()
                if self.loads and not ready:
                    self.loads = next(self.steps, self) is not self
        finally:
            self._end_all()

    def _end_all(self) -> None:
        """End everything, and wait for it, so that no zombies are left to whoever comes next."""
        family = psutil.Process().children(recursive=True)
        for line in self.lines.values():
            self._end(line)
        self._end_orphans(spare=set())
        psutil.wait_procs(family, timeout=_PATIENCE_S)

    def _hear_end(self) -> None:
        self.over = not os.read(self.lifeline, 1)

    def _welcome(self) -> None:
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        line = self.lines[sock] = _Line(sock)
        self.selector.register(sock, selectors.EVENT_READ, lambda: self._listen(line))

    def _listen(self, line: _Line) -> None:
        """Take a request; a worker that hangs up, or says anything after it, wants an end."""
        try:
            data, descriptors, _, _ = socket.recv_fds(line.sock, _LARGEST, _DESCRIPTORS)
        except ConnectionError:
            data, descriptors = b"", []
        if not data or line.pid is not None:
            self._end(line)
            if not data:
                self._forget(line)
            return
        self._take(line, data, descriptors)

    def _take(self, line: _Line, data: bytes, descriptors: list[int]) -> None:
        line.got += data
        line.descriptors += descriptors
        if len(line.got) < LENGTH.size:
            return
        (length,) = LENGTH.unpack_from(line.got)
        if len(line.got) < LENGTH.size + length:
            return
        request = json.loads(line.got[LENGTH.size :])
        self.loads = True
        line.pid = os.fork() or self._become(request, line.descriptors)
        for descriptor in line.descriptors:
            os.close(descriptor)
        self._tell(line, {"pid": line.pid})

    def _become(self, request: dict[str, Any], descriptors: list[int]) -> Any:
        """Be the task process: this never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            self.listener.close()
            for line in self.lines.values():
                line.sock.close()
            nothing = os.open(os.devnull, os.O_RDONLY)
            for ours, theirs in ((nothing, 0), (descriptors[1], 1), (descriptors[2], 2)):
                os.dup2(ours, theirs)
                os.close(ours)
            sock = socket.socket(fileno=descriptors[0])
            settle_in(request["environment"], request["folder"])
            rest = self.steps if _gains(request["environment"]) else iter(())
            serve(sock, descriptors[3], rest)
            status = 0
        except (ConnectionError, BrokenPipeError):
            status = 0  # the worker has gone
        except BaseException:  # noqa: BLE001 nothing may run on into the nursery's own loop
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _reap(self, wake: socket.socket) -> None:
        """See who has died; end what they left behind, then tell."""
        with contextlib.suppress(BlockingIOError):
            wake.recv(4096)
        lines = {line.pid: line for line in self.lines.values()}
        while (found := _dead()) is not None:
            line = lines.get(found)
            if line is not None:
                _kill_group(found)  # its id is not given to another while it is a zombie
            _, status = os.waitpid(found, 0)
            if line is not None:
                line.pid = 0
                self._tell(line, {"status": os.waitstatus_to_exitcode(status)})
        self._end_orphans(spare={line.pid for line in self.lines.values()})

    def _end_orphans(self, spare: set[int | None]) -> None:
        """End what was started by a task process that has died since."""
        for child in psutil.Process().children():
            if child.pid not in spare:
                _kill_tree(child)

    def _end(self, line: _Line) -> None:
        if line.pid:
            with contextlib.suppress(psutil.NoSuchProcess):
                _kill_tree(psutil.Process(line.pid))
            _kill_group(line.pid)

    def _forget(self, line: _Line) -> None:
        self.selector.unregister(line.sock)
        line.sock.close()
        del self.lines[line.sock]

    def _tell(self, line: _Line, news: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it hung up
            line.sock.send(json.dumps(news).encode() + b"\n")


def _dead() -> int | None:
    """A child that has died and was not waited for yet."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _gains(environment: Mapping[str, str]) -> bool:
    """Whether what is loaded ahead helps tasks of a worker with this environment, who can spare it.

    Tasks of a QPU run circuits there, for which next to nothing of it is needed.
    """
    if environment.get(worker_environment.DEVICE):
        return False
    limit = environment.get(worker_environment.MEMORY)
    return limit is None or int(limit) >= _ROOM_BYTES


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _kill_tree(root: psutil.Process) -> None:
    """End a process with all that descend from it, those included that left its group."""
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = [*root.children(recursive=True), root]
        for each in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def main() -> None:
    """Be a nursery."""
    parser = argparse.ArgumentParser(prog="python -m pilot_kernel.task.process.nursery")
    parser.add_argument("--listen", type=int, required=True, help="descriptor of a bound socket")
    listener = socket.socket(fileno=parser.parse_args().listen)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    gc.disable()  # until `preload.keep`, which searches it all once
    for module in _PRELOAD:
        importlib.import_module(module)
    preload.keep()
    gc.enable()
    _Nursery(listener, lifeline=0).serve()


if __name__ == "__main__":
    main()
