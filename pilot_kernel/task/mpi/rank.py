"""One rank: started by mpirun or srun, by its path, with the interpreter alone.

The process that was started watches over another one, which is the rank. So it is known how each
rank ended, whichever launcher there is, and none outlives its task. What a rank writes goes to
pipes of its own: lines of different ranks stay whole, and those of C code and subprocesses arrive.
"""

import ctypes
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any

__all__ = ["END", "LIFELINE", "PROCESS", "main", "stream_name"]

LIFELINE = "lifeline"
"""A pipe that the task holds open as long as its ranks may live."""

PROCESS = "process"
"""What the names of files begin with that name the processes of ranks."""

END = "end"
"""What the names of files begin with that say how a rank has ended; a dot and the rank follow."""

_NUMBERS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "PALS_RANKID", "SLURM_PROCID")
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_PR_SET_PDEATHSIG = 1


def stream_name(rank: int, stream: str) -> str:
    """The name of the pipe that takes what a rank writes to `stdout` or `stderr`."""
    return f"{stream}.{rank}"


def main() -> None:
    """Be a rank: call what the task wants, or become the program it names."""
    folder, program = sys.argv[1], sys.argv[2:]
    number = next((os.environ[name] for name in _NUMBERS if name in os.environ), None)
    if number is None:
        sys.exit("a rank was started without a number: the launcher and MPI do not fit together")
    _note(folder)
    me = os.getpid()
    rank = os.fork()
    if rank:
        _watch(rank, folder, number)
    _die_with(me)
    _note(folder)
    for stream, descriptor in (("stdout", 1), ("stderr", 2)):
        _lead(os.path.join(folder, stream_name(int(number), stream)), descriptor)
    if not program:
        _call(folder, int(number))
    elif _introduced():
        os.execvp(program[0], program)  # noqa: S606 the user's own program
    else:
        _tell_strangers(folder, number)


# ---- the rank


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _note(folder: str) -> None:
    """Leave this process's id: whoever inherits it, when its parent has ended, must wait for it."""
    with open(os.path.join(folder, f"{PROCESS}.{os.getpid()}"), "w"):
        pass


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
    _defer_package()
    from pilot_kernel.task.mpi.world import take_part

    take_part(folder, number, head["ranks"])


def _defer_package() -> None:
    """Let `pilot_kernel` import what it offers to users when one of them asks for it.

    That takes longer than starting Python and MPI together, in each of many ranks.
    """
    spec = importlib.util.find_spec("pilot_kernel")
    assert spec is not None
    assert spec.loader is not None
    loader = spec.loader
    package = sys.modules["pilot_kernel"] = importlib.util.module_from_spec(spec)

    def find(name: str) -> Any:
        if name.startswith("__") or "__getattr__" not in vars(package):
            raise AttributeError(f"module 'pilot_kernel' has no attribute {name!r}")
        del vars(package)["__getattr__"]
        loader.exec_module(package)
        return getattr(package, name)

    vars(package)["__getattr__"] = find


def _introduced() -> bool:
    """Whether the launcher has told MPI where the others are; srun may not do that by itself."""
    others = os.environ.get("SLURM_NTASKS", "1") != "1"
    told = any(name.startswith(("PMI", "OMPI_COMM_", "PALS_")) for name in os.environ)
    return told or not others


def _tell_strangers(folder: str, number: str) -> None:
    told = {"kind": "A", "size": 1, "by": "no word of the others (MpiDefault=none)", "sizes": []}
    with open(os.path.join(folder, f"answer.{number}"), "w") as file:
        file.write(json.dumps(told) + "\n")  # as `envelope` does it, for STRANGERS


# ---- its watchman


def _watch(rank: int, folder: str, number: str) -> None:
    """Wait for the end of a rank, note it, and end likewise: this never returns."""
    for each in _PASSED_ON:
        signal.signal(each, lambda got, _: os.kill(rank, got))
    _wait(rank, os.path.join(folder, LIFELINE))
    status = os.waitstatus_to_exitcode(os.waitpid(rank, 0)[1])
    draft = os.path.join(folder, f"{END}.{number}.draft")
    try:
        with open(draft, "w") as file:
            json.dump({"status": status, "at": time.time()}, file)
        os.rename(draft, os.path.join(folder, f"{END}.{number}"))
    except OSError:  # the task has ended, and nobody wants to know
        pass
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -status in _PASSED_ON:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 128 - status)


def _wait(rank: int, lifeline: str) -> None:
    """Wait until a rank has ended, or has been killed because the task hung up."""
    if not hasattr(os, "pidfd_open"):
        return
    poll = select.poll()
    end = os.pidfd_open(rank)
    poll.register(end, select.POLLIN)
    poll.register(
        os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK), 0
    )  # its other end closing is told
    if end not in dict(poll.poll()):
        os.kill(rank, signal.SIGKILL)


if __name__ == "__main__":
    main()
