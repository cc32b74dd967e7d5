"""The cores that a task has, as its process and the libraries in it are told."""

import contextlib
import os
from collections.abc import Iterator

from pilot_kernel.resource import worker_environment
from pilot_kernel.resource.start_nursery import ONE_THREAD

__all__ = ["given"]

_ONE = "1"

_threads = 1  # of libraries, as the nursery has loaded them


@contextlib.contextmanager
def given(cores: int | None, memory_bytes: int | None) -> Iterator[None]:
    """Let a task use so many cores and so much memory: its environment and libraries say so.

    Libraries for linear algebra have one thread where task processes are forked, so that narrow
    workers stay on their cores; here they get as many as the task has cores, unless the user's own
    environment names another number.

    Args:
        cores: The cores; None leaves all as it is.
        memory_bytes: The memory, if it is not what its worker has.
    """
    if cores is None:
        yield
        return
    ours = [name for name in ONE_THREAD if os.environ.get(name) == _ONE]
    if len(ours) == len(ONE_THREAD):
        _allow(cores)
    said = {worker_environment.CORES: str(cores), **dict.fromkeys(ours, str(cores))}
    if memory_bytes is not None:
        said[worker_environment.MEMORY] = str(memory_bytes)
    before = {name: os.environ.get(name) for name in said}
    if before == said:  # as nearly always
        yield
        return
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if os.environ.get(name) == said[name]:  # else the task has changed it itself
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})


def _allow(threads: int) -> None:
    """Have libraries that are loaded by now use so many threads; that takes a millisecond."""
    global _threads
    if threads != _threads:
        from threadpoolctl import ThreadpoolController

        ThreadpoolController().limit(limits=threads)
        _threads = threads
