"""What other packages have ready in a task process before its first task, so that it is not slow.

A package names a function under the entry point group `pilot_kernel.preloads`. It is called without
arguments where task processes are forked from, and yields between its steps: imports, say, and what
else takes a while and lasts. Each step is to take some tenths of a second at most, because whoever
asks for something meanwhile waits until the step is over. It must start no thread and touch no GPU:
neither survives a fork. What goes wrong in it is logged, and nobody is the worse for it.
"""

import contextlib
import gc
import logging
import os
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points

__all__ = ["ENTRY_POINTS", "WANTED", "keep", "steps"]

ENTRY_POINTS = "pilot_kernel.preloads"
"""The group of entry points that name what is called."""

WANTED = "PILOT_KERNEL_PRELOADS"
"""The variable that says with 0 that nothing is to be loaded ahead: it takes each host, and each
process that starts early, a second of processor time."""

log = logging.getLogger("pilot_kernel.nursery")


def steps() -> Iterator[None]:
    """All of it, one step for every `next`; it raises nothing.

    A process that was forked meanwhile may go on with it; only this one says what goes wrong, since
    what the other writes is a task's output.
    """
    return _steps(os.getpid())


def _steps(teller: int) -> Iterator[None]:
    before = _threads()
    for point in _points():
        told = ""
        try:
            yield
            yield from point.load()()
        except (Exception, SystemExit) as error:  # noqa: BLE001 a foreign function may raise anything
            told = f"failed: {type(error).__name__}: {error}"
        if _threads() > before:
            told = told or "has left a thread, which task processes lack"
            before = _threads()
        if told and os.getpid() == teller:
            log.warning("preload %s %s", point.value, told)
        keep()


def keep() -> None:
    """Search what is loaded for garbage now, so that it is not done again amid a task."""
    gc.collect()
    gc.freeze()


def _points() -> Iterable[EntryPoint]:
    """What is named, in the same order everywhere; nothing if a package's words are unreadable."""
    if os.environ.get(WANTED) == "0":
        return ()
    try:
        return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.value)
    except Exception as error:  # noqa: BLE001 whatever lies among the installed packages
        log.warning("preloads cannot be found: %s: %s", type(error).__name__, error)
        return ()


def _threads() -> int:
    """Threads of this process, those of libraries included; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 0
