"""The process that a host's workers are forked from, with Dask imported.

It is a fork itself, of the process that starts workers, so that Dask is imported once for both: a
new interpreter would take most of a second of processor time for it.
"""

import contextlib
import gc
import importlib
import multiprocessing.forkserver
import multiprocessing.process
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

__all__ = ["announce", "start"]

_PRELOAD = (
    *("distributed", "pilot_kernel.task.worker.plugin", "pilot_kernel.resource.no_web"),
    *("multiprocessing.popen_forkserver", "multiprocessing.synchronize", "numpy.random"),
    "tornado.platform.asyncio",
)
"""What workers begin with; the plugin by name: it lies above."""


def announce(folder: str, semaphores: str) -> None:
    """Say what the process is to be like that the first worker brings up, if it is not there yet.

    Args:
        folder: Where its socket will be. That of a process that was killed stays: whoever comes
            next must see whose it was.
        semaphores: What names of semaphores begin with, which nannies share with their workers,
            for the same reason.
    """
    config = multiprocessing.process.current_process()._config  # type: ignore[attr-defined]
    config["semprefix"] = semaphores
    config["tempdir"] = folder
    import distributed.utils

    # Else it is told to import pandas, too, and so is the process that asks for the first worker.
    distributed.utils._forkserver_preload_set = True
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(_PRELOAD))


def start(folder: str, semaphores: str) -> None:
    """Import what workers need, and fork the process that they are forked from.

    Dask is to be configured by now. Where this process has threads already, which a fork lacks,
    a new interpreter is started instead. So it is later, if the process has to be replaced.

    Args:
        folder: As in `announce`.
        semaphores: As in `announce`.
    """
    import distributed.versions

    announce(folder, semaphores)
    for module in _PRELOAD:
        importlib.import_module(module)
    distributed.versions.get_versions()  # which each worker tells; they are looked up once
    multiprocessing.resource_tracker.ensure_running()  # a small process, which is better a new one
    gc.freeze()  # what is looked at for garbage is copied
    # Threads of BLAS are no obstacle: it ends them before a fork, and begins them anew.
    with _forked() if threading.active_count() == 1 else contextlib.nullcontext():
        multiprocessing.forkserver.ensure_running()


@contextlib.contextmanager
def _forked() -> Iterator[None]:
    """Have what `multiprocessing` starts as a new interpreter forked instead."""
    spawn = multiprocessing.util.spawnv_passfds
    multiprocessing.util.spawnv_passfds = _fork  # type: ignore[assignment]
    try:
        yield
    finally:
        multiprocessing.util.spawnv_passfds = spawn


def _fork(_: object, command: Sequence[str], kept: Sequence[int]) -> int:
    """Do in a fork what `python ... -c PROGRAM` is to do in a new interpreter; the fork's id.

    Args:
        command: The interpreter's command line, the last word of which is that program.
        kept: Descriptors that stay open, beside the first three.
    """
    assert command[-2] == "-c", command
    # Else a signal might be answered in the fork as it is here.
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        return pid
    status = 1
    try:
        _be_as_new(kept)
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        exec(command[-1], {"__name__": "__main__"})  # noqa: S102 it is multiprocessing's own
    except SystemExit:
        status = 0
    except BaseException:  # noqa: BLE001 nothing may run on into what this was forked from
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def _be_as_new(kept: Sequence[int]) -> None:
    """Let go of what belongs to the process that this was forked from."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for number in {int(each) for each in os.listdir(folder)} - {0, 1, 2, *kept}:
        with contextlib.suppress(OSError):  # the one that listed them
            os.close(number)
    # What is known of the server is being written, under a lock that nobody here would let go of.
    multiprocessing.forkserver._forkserver.__init__()  # type: ignore[misc]
    multiprocessing.resource_tracker._resource_tracker.__init__()  # type: ignore[misc]
    gc.enable()
