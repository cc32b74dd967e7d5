"""The beginning of one rank: started by mpirun or srun, by its path, with the interpreter alone.

What it writes goes to pipes of its own, so that lines of different ranks stay whole, and those of C
code and of subprocesses arrive too. It dies with its task, whoever started it.
"""

import json
import os
import select
import signal
import sys
from typing import Any

__all__ = ["LIFELINE", "main", "stream_name"]

LIFELINE = "lifeline"
"""A pipe that the task holds open as long as its ranks may live."""

_NUMBERS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PALS_RANKID", "SLURM_PROCID")


def stream_name(rank: int, stream: str) -> str:
    """The name of the pipe that takes what a rank writes to `stdout` or `stderr`."""
    return f"{stream}.{rank}"


def main() -> None:
    """Be a rank: call what the task wants, or become the program it names."""
    folder, program = sys.argv[1], sys.argv[2:]
    number = next((os.environ[name] for name in _NUMBERS if name in os.environ), None)
    if number is None:
        sys.exit("a rank was started without a number: the launcher and MPI do not fit together")
    lifeline = os.open(os.path.join(folder, LIFELINE), os.O_RDONLY | os.O_NONBLOCK)
    _watch(lifeline)
    os.close(lifeline)
    for stream, descriptor in (("stdout", 1), ("stderr", 2)):
        _lead(os.path.join(folder, stream_name(int(number), stream)), descriptor)
    if program:
        os.execvp(program[0], program)  # noqa: S606 the user's own program
    _call(folder, int(number))


def _lead(path: str, descriptor: int) -> None:
    """Let what is written to a descriptor go to the pipe at `path`; fails if nobody reads it."""
    pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(pipe, True)
    os.dup2(pipe, descriptor)
    os.close(pipe)


def _call(folder: str, number: int) -> None:
    with open(os.path.join(folder, "call"), "rb") as file:
        head: dict[str, Any] = json.loads(file.readline())
    sys.path[:] = head["path"]
    sys.argv[:] = [""]
    from pilot_kernel.task.mpi.world import take_part

    take_part(folder, number, head["ranks"])


def _watch(lifeline: int) -> None:
    """Have a process that kills this one when the task hangs up, and ends when this one does."""
    if not hasattr(os, "pidfd_open"):
        return
    me = os.pidfd_open(os.getpid())
    child = os.fork()
    if not child:
        if not os.fork():
            _be_watcher(me, lifeline)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(me)


def _be_watcher(rank: int, lifeline: int) -> None:
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        poll = select.poll()
        poll.register(rank, select.POLLIN)
        poll.register(lifeline, 0)  # that nobody holds the other end is always told
        if rank not in dict(poll.poll()):
            signal.pidfd_send_signal(rank, signal.SIGKILL)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
