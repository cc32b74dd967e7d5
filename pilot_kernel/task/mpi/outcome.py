"""How an MPI task ended: the value of rank 0, or what went wrong first and with which rank."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pilot_kernel.errors import MpiError, PilotError, ShipError, TaskFailedError
from pilot_kernel.task.mpi.envelope import ANSWER, CALL, STRANGERS, read, read_head
from pilot_kernel.task.mpi.launcher import Launcher
from pilot_kernel.task.mpi.rank import END
from pilot_kernel.task.mpi.world import BEGUN, DONE
from pilot_kernel.task.wire.failure import RemoteError
from pilot_kernel.task.wire.messages import Kind
from pilot_kernel.task.wire.packing import Packed, unpack

__all__ = ["Outcome", "StrangersError"]

_LAST_WORDS = 1500

_ABORTED = re.compile(
    r"MPI_ABORT was invoked on rank (\d+) in communicator MPI_COMM_WORLD.*?error ?code:? (\d+)",
    re.DOTALL | re.IGNORECASE,
)
"""What Open MPI says of a rank that aborts, which it may end before it has ended by itself."""


class StrangersError(MpiError):
    """Ranks were started that did not find each other, and nothing of the user's has run."""


@dataclass(frozen=True)
class _Answer:
    rank: int
    path: Path
    head: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How ranks have ended.

    Attributes:
        launcher: What had started them.
        ranks: How many there were to be.
        status: The launcher's exit status.
        words: What the launcher said.
        said: What rank 0 of a program wrote to its standard output.
        begun: How many ranks began with the call.
        failed: The kind and the parts of the answer of the rank that failed first, and its number.
        ended: The rank that ended first of those that did not end well, and its exit status.
        result: The kind and the parts of the answer of rank 0.
        strangers: What a rank told that did not find the others.
    """

    launcher: Launcher
    ranks: int
    status: int
    words: str
    said: list[str]
    begun: int
    failed: tuple[int, str, list[Any]] | None
    ended: tuple[int, int] | None
    result: tuple[str, list[Any]] | None
    strangers: dict[str, Any] | None

    @classmethod
    def read(
        cls,
        folder: Path,
        launcher: Launcher,
        ranks: int,
        status: int,
        words: str,
        said: list[str],
    ) -> Self:
        """See what ranks have left in their folder."""
        answers = [
            _Answer(int(path.suffix[1:]), path, read_head(path))
            for path in folder.glob(f"{ANSWER}.*[0-9]")
        ]
        good = {Kind.VALUE.decode(), Kind.UNSENDABLE.decode()}
        strangers = [each.head for each in answers if each.head["kind"] == STRANGERS]
        bad = [each for each in answers if each.head["kind"] not in {*good, STRANGERS}]
        first = min(bad, key=lambda each: float(each.head["at"]), default=None)
        own = [each for each in answers if each.rank == 0 and each.head["kind"] in good]
        return cls(
            launcher=launcher,
            ranks=ranks,
            status=status,
            words=words,
            said=said,
            begun=len(list(folder.glob(f"{BEGUN}.*"))),
            failed=None if first is None else (first.rank, first.head["kind"], read(first.path)[1]),
            ended=_first_end(folder, function=(folder / CALL).exists()),
            result=(own[0].head["kind"], read(own[0].path)[1]) if own else None,
            strangers=strangers[0] if strangers else None,
        )

    def value(self) -> Any:
        """What rank 0 returned.

        Raises:
            Exception: What the rank raised that failed first.
            StrangersError: Ranks did not find each other.
            MpiError: One was killed, or they could not be started.
            ShipError: What rank 0 returned cannot be sent.
        """
        if self.failed is not None:
            raise self._raised(*self.failed)
        if self.status and not self.begun:
            raise self._strangers()
        self.check()
        if self.result is None:
            raise MpiError(f"rank 0 of {self.ranks} ended without an answer{self._last_words()}")
        kind, parts = self.result
        if kind == Kind.UNSENDABLE.decode():
            raise ShipError(f"rank 0: {str(parts[0], 'utf-8')}")
        return unpack(Packed(parts[0], tuple(parts[1:])))

    def check(self) -> None:
        """Raise an `MpiError` that says how it ended, if that was not well."""
        if self.strangers is not None:
            raise self._strangers()
        if self.status or self.ended is not None:
            raise MpiError(self._how())

    def _raised(self, rank: int, kind: str, parts: list[Any]) -> BaseException:
        where = f"rank {rank} of {self.ranks}"
        if kind != Kind.ERROR.decode():
            return MpiError(f"{where} was told to stop by a signal from outside")
        error = RemoteError(str(parts[0], "utf-8"), bytes(parts[1])).open()
        if type(error) is TaskFailedError:
            return TaskFailedError(f"{where}: {error}")
        if isinstance(error, PilotError) and error.args == (str(error),):
            error.args = (f"{where}: {error}",)
        else:
            error.add_note(f"raised in {where}")
        return error

    def _strangers(self) -> StrangersError:
        told = self.strangers
        found = (
            "ended before MPI was ready"
            if told is None
            else f"found a world of {told['size']} ranks, not {self.ranks}, with {told['by']}"
        )
        return StrangersError(
            f"ranks that {self.launcher} started {found}: it does not belong to the MPI library "
            "that they use, or does not know how to start it; put the mpirun of that library on "
            f"the worker's PATH{self._last_words() if told is None else ''}"
        )

    def _how(self) -> str:
        """Which rank ended first that did not end well; what the launcher says, if nobody knows."""
        if self.ended is not None:
            number, status = self.ended
            if status == -signal.SIGTERM and (told := _ABORTED.search(self.words)):
                number, status = int(told[1]), int(told[2])
            if status < 0:
                how = f"was killed by {_signal(-status)}"
            elif status:
                how = f"ended with exit code {status}"
            else:
                how = "ended its process before the call was over"
            return f"rank {number} of {self.ranks} {how}"
        status = self.status
        if status < 0 or status > 128:
            how = f"was ended by {_signal(-status if status < 0 else status - 128)}"
        else:
            how = f"ended with exit code {status}"
        return f"{self.launcher.name} with {self.ranks} ranks {how}{self._last_words()}"

    def _last_words(self) -> str:
        words = self.words.strip()
        return f"; {self.launcher.name} said:\n{words[-_LAST_WORDS:]}" if words else ""


def _first_end(folder: Path, *, function: bool) -> tuple[int, int] | None:
    """The rank that ended first of those that did not end well, and how; None if all did.

    A rank that was told to end came to that because another one had failed.
    """
    bad = []
    for path in folder.glob(f"{END}.*[0-9]"):
        told = read_head(path)
        number, status = int(path.suffix[1:]), int(told["status"])
        if status or (function and not (folder / f"{DONE}.{number}").exists()):
            bad.append((status == -signal.SIGTERM, told["at"], number, status))
    return min(bad)[2:] if bad else None


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
