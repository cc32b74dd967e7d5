"""What went wrong with a task, on its way to the notebook and in words."""

import signal
from typing import Any

import cloudpickle

from pilot_kernel.errors import TaskFailedError

__all__ = ["RemoteError", "crash_told", "how_it_ended"]

_NATIVE = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"}
_CALLERS = ("/pilot_kernel/task/", "/pilot_kernel/jupyter/worker/run.py")


class RemoteError(Exception):
    """Carries what a task raised; nothing between its process and the notebook unpickles it."""

    def __init__(self, told: str, pickled: bytes) -> None:
        """Wrap an exception.

        Args:
            told: Its traceback as text, or all there is to say.
            pickled: The exception with its traceback; empty if it cannot be pickled.
        """
        super().__init__(told, pickled)
        self.told = told
        self.pickled = pickled

    def __str__(self) -> str:
        return self.told.rstrip().rpartition("\n")[2][:200]

    __repr__ = __str__

    def open(self) -> BaseException:
        """The exception itself, or one of ours that tells what it was."""
        if not self.pickled:
            return TaskFailedError(self.told)
        try:
            error: Any = cloudpickle.loads(self.pickled)
        except BaseException as why:  # noqa: BLE001 a foreign __setstate__ may raise anything
            return TaskFailedError(
                f"{self.told}\n(this exception cannot be rebuilt here: {type(why).__name__}: {why})"
            )
        return error if isinstance(error, BaseException) else TaskFailedError(self.told)


def how_it_ended(status: int) -> str:
    """An exit status in words: negative for the signal that ended the process."""
    if status >= 0:
        return f"ended its process with exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return "was killed (SIGKILL), most often for lack of memory"
    if name in _NATIVE:
        return f"crashed in native code ({name})"
    return f"was ended from outside ({name})"


def crash_told(dump: str) -> str:
    """What Python's fault handler wrote, without what is no concern of the task.

    Args:
        dump: A headline, then the frames of each thread, the latest first.

    Returns:
        The headline and the task's own frames: those of the thread that crashed, or, where it is
        none of Python's, those of all threads.
    """
    head, *threads = dump.split("\n\n")
    crashed = [each for each in threads if each.startswith("Current thread")]
    told = [head.strip()]
    for thread in crashed or [each for each in threads if "hread 0x" in each]:
        title, *frames = thread.strip().splitlines()
        told += [] if crashed else [title]
        for frame in frames:
            if any(part in frame for part in _CALLERS):
                break
            told.append(frame)
    return "\n".join(told) + "\n"
