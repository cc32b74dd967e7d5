"""Functions that ranks call, where Python finds them by name."""

import ctypes
import os
import signal
import subprocess
import sys
import time


def gather(comm, *words, **named):
    """What every rank has, in their order."""
    mine = (comm.Get_rank(), os.environ["OMP_NUM_THREADS"], os.getpid())
    return comm.gather(mine), words, named


def talk(comm):
    """Write in every way there is, one rank after the other."""
    for rank in range(comm.Get_size()):
        comm.barrier()
        if rank == comm.Get_rank():
            print("printed")
            ctypes.CDLL(None).printf(b"from C\n")
            ctypes.CDLL(None).fflush(None)
            subprocess.run(["sh", "-c", "echo sub; echo err >&2"], check=True)
            print("né", end="")
        comm.barrier()


def flood(comm, lines):
    """Write many lines at once from all ranks."""
    for number in range(lines):
        print(f"{comm.Get_rank()}:{number}:{'x' * 200}")


def beat(comm, path, seconds):
    """Leave one's process id, then wait."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    print("beating")
    comm.barrier()
    time.sleep(seconds)


def fail(comm, how, rank):
    """Fail in one rank while the others wait for it."""
    if comm.Get_rank() == rank:
        if how == "raise":
            raise LookupError(f"nothing in rank {rank}")
        if how == "crash":
            ctypes.string_at(0)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "exit":
            os._exit(7)
        if how == "leave":
            os._exit(0)
        if how == "sys.exit":
            sys.exit(3)
        if how == "abort":
            comm.Abort(5)
    comm.barrier()
    return "never"
