"""A process that starts workers' parent, has it fork, and says what it saw as a line of JSON."""

import gc
import json
import multiprocessing.forkserver
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dask
from distributed.utils import get_mp_context

from pilot_kernel.resource import dask_settings, worker_parent


def _inner(sender):
    sender.send("a worker's own")


def look(sender):
    """What a worker of that parent sees; a process of its own, forked likewise, included."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    own = context.Process(target=_inner, args=(theirs,))
    own.start()
    heard = ours.recv()
    own.join()
    sender.send(
        {
            "heard": heard,
            "dask": "pilot_kernel.task.worker.plugin" in sys.modules,
            "pandas": "pandas" in sys.modules,
            "collects": gc.isenabled(),
            "default": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        }
    )


def main(folder: str, threaded: bool) -> None:
    """Start it, in a process that has a thread or has none."""
    over = threading.Event()
    if threaded:
        threading.Thread(target=over.wait).start()
    gc.disable()
    signal.signal(signal.SIGTERM, lambda *_: None)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as lifeline:
        dask.config.set(dask_settings.worker_settings(folder))
        worker_parent.start(folder, "/pilot-test")
        server = multiprocessing.forkserver._forkserver._forkserver_pid
        lines = [Path(f"/proc/{each}/cmdline").read_bytes() for each in ("self", server)]
        context = get_mp_context()  # as nannies do, which could import pandas
        ours, theirs = context.Pipe()
        worker = context.Process(target=look, args=(theirs,))
        worker.start()
        seen = ours.recv()
        worker.join()
        assert lifeline.stdin is not None
        lifeline.stdin.close()  # `cat` ends, unless somebody else holds it
        seen |= {"ended": lifeline.wait(20), "code": worker.exitcode, "server": server}
    over.set()
    seen["pandas"] |= "pandas" in sys.modules
    print(json.dumps({**seen, "forked": lines[0] == lines[1]}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "True")
