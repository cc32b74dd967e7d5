"""A line to the supervisor on another host: an `ssh` process that carries it, and ports."""

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pilot_kernel.resource import versions
from pilot_kernel.resource.host import protocol
from pilot_kernel.resource.reach import ssh_command
from pilot_kernel.resource.reach.host_error import HostError
from pilot_kernel.resource.reach.ssh_command import Forward
from pilot_kernel.resource.reach.ssh_errors import explain
from pilot_kernel.resource.reach.ssh_target import SshTarget

__all__ = ["SshLine"]

log = logging.getLogger("pilot_kernel.agent")

_HELLO_S = 60.0  # set-up lines may load modules from a slow disk
_ANSWER_S = 30.0
_CHECK_S = 5.0
_FORWARD_S = 10.0
_AT_ONCE = 50  # forwards in one command line
_SILENT_LOOKS = 5
_STUBBORN_S = 1.0
_REMEMBERED = 40
_LONGEST_LINE = 1 << 20
_PORT = re.compile(r"\d+")


def _nothing(_: str) -> None:
    """Whoever opens the line wants no words."""


class SshLine:
    """One connection to a supervisor.

    Args:
        target: The host.
        control: Where the connection can be found by commands that forward ports; None if none
            will be.
        wrote: Called with every line that comes from there and is none of the supervisor's.
        noted: Called with what the supervisor says of how it is doing.

    Attributes:
        lost: Set when the connection has ended, or nothing comes through it any more.
    """

    def __init__(
        self,
        target: SshTarget,
        control: Path | None = None,
        wrote: Callable[[str], None] = _nothing,
        noted: Callable[[str], None] = _nothing,
    ) -> None:
        self.target = target
        self.lost = asyncio.Event()
        self._control = control
        self._wrote = wrote
        self._noted = noted
        self._process: asyncio.subprocess.Process
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._errors: deque[str] = deque(maxlen=_REMEMBERED)
        self._output: deque[str] = deque(maxlen=_REMEMBERED)
        self._watches: list[asyncio.Task[None]] = []
        self._forwarding = asyncio.Lock()
        self._heard = True

    # ---- coming up

    async def open(self, command: str) -> dict[str, Any]:
        """Connect, start the supervisor, and see that it is of our versions.

        Args:
            command: What starts it, as `ssh_command.script` writes it.

        Returns:
            What the supervisor says of its host.

        Raises:
            HostError: There is none, or it cannot be used.
        """
        try:
            self._process = await asyncio.create_subprocess_exec(
                *ssh_command.connect(self.target, command, self._control),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
            )
        except FileNotFoundError:
            raise HostError(
                "there is no ssh on this machine: install OpenSSH's client (openssh-client)",
                final=True,
            ) from None
        hello = self._expect("hello")
        self._watches = [
            asyncio.create_task(self._read(self._process.stdout, self._hear)),
            asyncio.create_task(self._read(self._process.stderr, self._hear_error)),
        ]
        said = await self._answer(hello, _HELLO_S)
        if different := versions.differences(versions.here(), said["versions"]):
            raise HostError(
                f"host {self.target}: its versions differ from those of this session: {different}. "
                f"Its Python is {said['python']}; install the same versions there, or name "
                "another one, ?python=/path/to/python",
                final=True,
            )
        self._watches.append(asyncio.create_task(self._call()))
        return dict(said)

    async def _read(self, stream: asyncio.StreamReader | None, hear: Callable[[str], None]) -> None:
        assert stream is not None
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # no end to that line
                continue
            if not line:
                break
            hear(line.decode(errors="replace").rstrip("\r\n"))
        if stream is self._process.stdout:
            self.lost.set()

    def _hear(self, line: str) -> None:
        self._heard = True
        said = protocol.read(line)
        if said is None:
            self._output.append(line)
            self._wrote(line)
            return
        for what, value in said.items():
            if (waiting := self._answers.pop(what, None)) is not None and not waiting.done():
                waiting.set_result(value)
        if "note" in said:
            self._noted(str(said["note"]))
        if "failed" in said:
            self._errors.append(str(said["failed"]))
            self._wrote(str(said["failed"]))

    def _hear_error(self, line: str) -> None:
        self._errors.append(line)
        self._wrote(line)

    async def _call(self) -> None:
        """Call every two seconds; looks are counted, since this process may be frozen, too."""
        silent = beats = 0
        while silent < _SILENT_LOOKS:
            beats += 1
            self.send(beat=beats)
            await asyncio.sleep(protocol.BEAT_S)
            silent = 0 if self._heard else silent + 1
            self._heard = False
        self._errors.append("nothing has come through the connection for a while")
        self.lost.set()

    # ---- talking

    def send(self, **what: Any) -> None:
        """Tell the supervisor something."""
        stream = self._process.stdin
        if stream is not None and not stream.is_closing():
            stream.write(protocol.tell(**what))

    async def ask(self, *answers: str, **what: Any) -> dict[str, Any]:
        """Tell the supervisor something and wait for one of the answers.

        Raises:
            HostError: The connection ended instead, or there is no answer.
        """
        waiting = {name: self._expect(name) for name in answers}
        self.send(**what)
        first = asyncio.ensure_future(_first(waiting))
        return dict(await self._answer(first, _ANSWER_S))

    async def check(self) -> None:
        """Give the connection up at once if nothing comes through it."""
        answer = self._expect("beat")
        self.send(beat=0)
        try:
            await self._answer(answer, _CHECK_S)
        except HostError as error:
            self._errors.append(str(error))
            self.lost.set()

    def _expect(self, name: str) -> "asyncio.Future[Any]":
        future = self._answers[name] = asyncio.get_running_loop().create_future()
        return future

    async def _answer(self, answer: "asyncio.Future[Any]", patience_s: float) -> Any:
        lost = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait(
                {answer, lost}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            if answer.done():
                return answer.result()
            if self.lost.is_set():
                raise await self.why()
            raise HostError(f"host {self.target}: no answer within {patience_s:.0f} s")
        finally:
            answer.cancel()
            lost.cancel()

    async def why(self) -> HostError:
        """Why the connection has ended."""
        if len(self._watches) > 1:  # the last words may still be under way
            await asyncio.wait({self._watches[1]}, timeout=1.0)
        return explain(self.target, list(self._output), list(self._errors))

    # ---- ports

    async def forward(self, forwards: Sequence[Forward], *, cancel: bool = False) -> list[int]:
        """Have the connection forward ports, or stop doing so.

        Returns:
            The ports that were chosen for those given as 0.

        Raises:
            HostError: It cannot; the first of them may be forwarded nevertheless.
        """
        assert self._control is not None
        chosen: list[int] = []
        async with self._forwarding:
            for at in range(0, len(forwards), _AT_ONCE):
                some = forwards[at : at + _AT_ONCE]
                line = ssh_command.forward(self.target, self._control, some, cancel=cancel)
                chosen += await self._forward(line, some)
        return chosen

    async def _forward(self, line: list[str], forwards: Sequence[Forward]) -> list[int]:
        process = await asyncio.create_subprocess_exec(
            *line,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_FORWARD_S):
                out, err = await process.communicate()
        except TimeoutError:
            out, err = b"", b"no answer"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            said = err.decode(errors="replace").strip().splitlines() or ["no reason given"]
            ports = ", ".join(str(port) for _, port, _ in forwards)
            raise HostError(
                f"host {self.target}: ports cannot be forwarded ({ports}; ssh says: {said[-1]}). "
                "The SSH server there must allow it (AllowTcpForwarding), and the ports be free"
            )
        return [int(port) for port in _PORT.findall(out.decode())]

    # ---- the end

    async def close(self, patience_s: float) -> None:
        """End the supervisor and the connection.

        Args:
            patience_s: How long the supervisor may take; then the connection is cut.
        """
        process = getattr(self, "_process", None)
        if process is None:
            return
        if process.stdin is not None and not process.stdin.is_closing():
            self.send(end=True)
            process.stdin.close()
        try:
            if not self.lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(patience_s):
                        await self.lost.wait()
        finally:
            for watch in self._watches:
                watch.cancel()
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End `ssh`: told to, it also ends the process that takes it over a jump host."""
    for strike in (process.terminate, process.kill):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                strike()
                async with asyncio.timeout(_STUBBORN_S):
                    await process.wait()


async def _first(waiting: dict[str, "asyncio.Future[Any]"]) -> dict[str, Any]:
    try:
        done, _ = await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
        return {name: each.result() for name, each in waiting.items() if each in done}
    finally:
        for each in waiting.values():
            each.cancel()
