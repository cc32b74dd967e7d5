"""The supervisor: the process on another host that brings up the workers that an agent orders.

It is started over SSH, or by a worker of somebody's Dask cluster, with a line to the agent as its
standard input and output (`protocol.py`). When that line ends, or nobody calls for a while, it
ends everything it has started and removes its files: there is nobody else to do it.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import psutil

from pilot_kernel.resource import credentials, start_nursery, worker_environment, worker_parent
from pilot_kernel.resource.host import private_folder, report
from pilot_kernel.resource.host.protocol import SILENCE_S, Order, say

__all__ = ["main"]

_CHUNK = 1 << 16
_PATIENCE_S = 3.0


class _Supervisor:
    """The line to the agent, and what is to be ended with it.

    The line is heard from a thread of its own, which nothing that workers do can hold up.
    """

    def __init__(self, *, over_ssh: bool) -> None:
        self._over_ssh = over_ssh
        # What is started must not have the line in its hands, nor print there.
        self._in, self._out = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.close(nothing)
        self.order: Order | None = None
        self.ordered = threading.Event()
        self._folders: list[Path] = []
        self._nursery: subprocess.Popen[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing = threading.Lock()
        self._ending = threading.Lock()

    # ---- the line

    def say(self, **what: Any) -> None:
        """Tell the agent something, unless the line is stuck: nothing here may wait for it."""
        with self._writing, contextlib.suppress(OSError):  # nobody listens: that ends it soon
            if select.select([], [self._out], [], 0)[1]:
                os.write(self._out, say(**what).encode())

    def listen(self) -> NoReturn:
        """Hear what the agent says, until it says no more."""
        got = b""
        silent = False
        try:
            while not (silent := not select.select([self._in], [], [], SILENCE_S)[0]):
                data = os.read(self._in, _CHUNK)
                if not data:
                    break
                *lines, got = (got + data).split(b"\n")
                for line in filter(None, lines):
                    self._hear(json.loads(line))
        finally:
            self.end(hang_up=silent)

    def _hear(self, said: dict[str, Any]) -> None:
        if "beat" in said:
            self.say(beat=said["beat"])
        elif "look" in said:
            unwritable = report.unwritable(said["look"])
            self.say(unwritable=unwritable) if unwritable else self.say(looked=report.sizes())
        elif "listening" in said:
            self.say(exposed=report.exposed(said["listening"]))
        elif "order" in said:
            self._take(Order.of(said["order"]))
        elif "end" in said:
            self.end()

    def _take(self, order: Order) -> None:
        busy = [each.port for each in order.workers if each.port and _busy(order, each.port)]
        if busy:
            self.say(busy=busy)
        elif self.order is None:
            self.order = order
            self.say(taken=len(order.workers))
            self.ordered.set()

    # ---- what is brought up

    def run(self) -> None:
        """Wait for an order and carry it out; this returns only if that cannot be done."""
        self.ordered.wait()
        order = self.order
        assert order is not None
        try:
            folder = self._make_folder()
            place = order.working_directory
            files = folder if place is None else self._make_folder(os.path.expanduser(place))
            security = credentials.store(folder, order.certificate, order.key)
            self._begin_forking(folder)
            asyncio.run(self._keep(order, security, files))
        except BaseException as error:
            self.say(failed=f"{type(error).__name__}: {error}")
            raise

    def _make_folder(self, place: str | None = None) -> Path:
        folder = private_folder.create(place)
        self._folders.append(folder)
        return folder

    def _begin_forking(self, folder: Path) -> None:
        import dask

        from pilot_kernel.resource.dask_settings import worker_settings

        for variable in start_nursery.ONE_THREAD:
            os.environ.setdefault(variable, "1")
        os.environ.pop(worker_environment.RESULTS, None)  # they lie on the agent's host
        path = os.environ[worker_environment.NURSERY] = str(folder / "nursery")
        self._nursery = start_nursery.start(path)
        dask.config.set(worker_settings(str(folder)))
        # Not a fork: this process has threads.
        worker_parent.announce(str(folder), private_folder.semaphore_prefix(folder))

    async def _keep(self, order: Order, security: Any, files: Path) -> None:
        from pilot_kernel.resource.host.nannies import keep

        self._loop = asyncio.get_running_loop()
        await keep(order, security, files, lambda words: self.say(note=words))

    # ---- the end

    def end(self, *, hang_up: bool = False) -> NoReturn:
        """End everything, and this process; nothing here may wait for the line.

        Args:
            hang_up: Whether to end the connection itself, which is dead. Its ports would be taken
                for as long as the system here believes in it.
        """
        self._ending.acquire()  # for good
        try:
            self._stand_still()
            self._end_processes()
        finally:
            for folder in self._folders:
                private_folder.remove(folder)
            if hang_up and self._over_ssh:
                _end_connection()
            os._exit(0)

    def _stand_still(self) -> None:
        """Stop the nannies, which would bring back what is about to be ended."""
        if self._loop is None or threading.current_thread() is threading.main_thread():
            return
        stands = threading.Event()

        def stand() -> None:
            stands.set()
            time.sleep(10 * _PATIENCE_S)  # this process ends long before

        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(stand)
            stands.wait(_PATIENCE_S)

    def _end_processes(self) -> None:
        nursery = self._nursery
        if nursery is not None and nursery.stdin is not None:
            nursery.stdin.close()  # upon which it ends the tasks
        mine = psutil.Process().children(recursive=True)
        spared = set()
        if nursery is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                keeper = psutil.Process(nursery.pid)
                spared = {keeper, *keeper.children(recursive=True)}
        _kill([each for each in mine if each not in spared])
        if nursery is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                nursery.wait(_PATIENCE_S)
        _kill(psutil.Process().children(recursive=True))


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=_PATIENCE_S)


def _busy(order: Order, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((order.address, port))
        except OSError:
            return True
    return False


def _end_connection() -> None:
    """End the process of the SSH server that serves this session only, if there is one."""
    with contextlib.suppress(psutil.Error, OSError):
        server = psutil.Process(os.getsid(0)).parent()
        if server is not None and server.name().startswith("sshd"):
            line = " ".join(server.cmdline())
            if "listener" not in line:
                server.terminate()


def main() -> None:
    """Be the supervisor of one host, for one agent."""
    parser = argparse.ArgumentParser(prog="python -m pilot_kernel.resource.host.process")
    parser.add_argument("--over-ssh", action="store_true", help="the session is this one's own")
    args = parser.parse_args()
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(name)s %(message)s", level=logging.INFO
    )
    supervisor = _Supervisor(over_ssh=args.over_ssh)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # From a thread: the main one may be about to end already.
        signal.signal(number, lambda *_: threading.Thread(target=supervisor.end).start())
    supervisor.say(hello=report.hello())
    threading.Thread(target=supervisor.listen, name="pilot-line", daemon=True).start()
    with contextlib.suppress(Exception):  # it was told to the agent, which ends this
        supervisor.run()
    supervisor.end()


if __name__ == "__main__":
    main()
