"""What a rank does when it is to call a function: find the others, call it, answer."""

import faulthandler
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pilot_kernel.task.mpi.envelope import ANSWER, CALL, STRANGERS, read, write
from pilot_kernel.task.process.call import answer
from pilot_kernel.task.process.streams import flush
from pilot_kernel.task.wire.messages import Kind

__all__ = ["BEGUN", "DONE", "in_world", "take_part"]

BEGUN = "begun"
"""What the names of the files begin with that ranks leave before they call anything."""

DONE = "done"
"""What the names of the files begin with that ranks leave when the call is over."""


def take_part(folder: str, number: int, ranks: int) -> None:
    """Call the function as one rank of several.

    Args:
        folder: Where the call lies, and answers are left.
        number: Which rank this is.
        ranks: How many there are to be.
    """
    faulthandler.enable()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    from mpi4py import MPI

    world, here = MPI.COMM_WORLD, Path(folder)
    if world.Get_size() != ranks:
        told = {"kind": STRANGERS, "size": world.Get_size(), "by": _library(MPI)}
        write(here / f"{ANSWER}.{number}", told)
        return
    (here / f"{BEGUN}.{number}").touch()
    _, parts = read(here / CALL)
    kind, sent = answer((Kind.CALL, parts))
    flush()
    (here / f"{DONE}.{number}").touch()
    if kind == Kind.VALUE and number:
        return  # what other ranks return is nothing
    write(here / f"{ANSWER}.{number}", {"kind": kind.decode(), "at": time.time()}, sent)
    if kind not in (Kind.VALUE, Kind.UNSENDABLE):
        world.Abort(1)


def in_world(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call `fn` with the communicator of all ranks; what rank 0 returns is returned."""
    from mpi4py import MPI

    rank = MPI.COMM_WORLD.Get_rank()
    result = fn(MPI.COMM_WORLD, *args, **kwargs)
    return None if rank else result


def _library(mpi: Any) -> str:
    return str(mpi.Get_library_version()).strip("\0 \n").partition("\n")[0]
