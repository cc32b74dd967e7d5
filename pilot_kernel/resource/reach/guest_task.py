"""What runs inside somebody's Dask cluster: a task that holds one of its workers' threads for us.

It starts the same supervisor that SSH starts (`host/process.py`), and is the line to it. Its Dask
worker does nothing else for it, and is as it was when the task has ended. Everything here is called
by its name, so `pilot_kernel` must be installed there.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pilot_kernel.resource import versions
from pilot_kernel.resource.host import protocol, report
from pilot_kernel.resource.host.protocol import Order

__all__ = ["TOPIC", "end", "hold", "look"]

TOPIC = "pilot-guest-"
"""What the topic begins with under which it tells how it is doing; the task's key follows."""

_LOOK_S = 0.5
_ENDING_S = 10.0
_REMEMBERED = 30
_ending: set[str] = set()


def look(working_directory: str | None, dask_worker: Any) -> dict[str, Any]:
    """What a worker says of its host; run there by `Client.run`.

    Args:
        working_directory: Where workers are to keep files.
        dask_worker: The worker.
    """
    memory = dask_worker.memory_manager.memory_limit
    return {
        "versions": versions.here(),
        "loopback": report.loopback(),
        "memory_bytes": memory or report.sizes()["memory_bytes"],
        "unwritable": report.unwritable(working_directory),
    }


def end(key: str) -> None:
    """Have the task of that key end; run on its worker by `Client.run`."""
    _ending.add(key)


def hold(order: Order, credentials: str | None) -> dict[str, Any]:
    """Bring up workers, and keep them until nobody wants this task any more.

    Args:
        order: What the supervisor is told. Dask writes the arguments of a task that fails into its
            log; this one does not show its key.
        credentials: The folder with the session's credentials, if they are not in the order.

    Returns:
        Why it has ended, and the last that was written.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()
    try:
        return _Holding(worker, key, _complete(order, credentials)).run()
    finally:
        _ending.discard(key)


def _complete(order: Order, credentials: str | None) -> Order:
    if credentials is None:
        return order
    folder = Path(credentials)
    certificate, key = (folder / f"tls-{part}.pem" for part in ("cert", "key"))
    return dataclasses.replace(order, certificate=certificate.read_text(), key=key.read_text())


def _environment() -> Mapping[str, str]:
    """Without what this worker's own cluster has set for its Dask."""
    return {key: value for key, value in os.environ.items() if not key.startswith("DASK_")}


class _Holding:
    """One supervisor, while it is up."""

    def __init__(self, worker: Any, key: str, order: Order) -> None:
        self._worker = worker
        self._key = key
        self._order = order
        self._tail: deque[str] = deque(maxlen=_REMEMBERED)
        self._why = ""

    def run(self) -> dict[str, Any]:
        with subprocess.Popen(
            [sys.executable, "-m", "pilot_kernel.resource.host.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            cwd=Path.home() if Path.home().is_dir() else None,
        ) as process:
            readers = [
                threading.Thread(target=self._read, args=(stream,), daemon=True)
                for stream in (process.stdout, process.stderr)
            ]
            for reader in readers:
                reader.start()
            try:
                self._talk(process)
            finally:
                self._finish(process)
            for reader in readers:
                reader.join(_LOOK_S)
        return {"why": self._why or "its supervisor ended", "tail": list(self._tail)}

    def _talk(self, process: "subprocess.Popen[bytes]") -> None:
        """Call the supervisor until it ends, or this task is not wanted any more."""
        assert process.stdin is not None
        beats, due = 0, time.monotonic()
        with contextlib.suppress(OSError):  # it has just ended
            process.stdin.write(protocol.tell(order=self._order.plain()))
            while process.poll() is None and self._wanted():
                if time.monotonic() >= due:
                    beats, due = beats + 1, time.monotonic() + protocol.BEAT_S
                    process.stdin.write(protocol.tell(beat=beats))
                    process.stdin.flush()
                time.sleep(_LOOK_S)

    def _wanted(self) -> bool:
        """Whether the worker goes on, and its scheduler wants the task still.

        It does not when it was canceled, or when the client that submitted it is gone.
        """
        task = self._worker.state.tasks.get(self._key)
        up = self._worker.status.name in ("running", "paused")
        wanted = task is not None and task.state != "cancelled"
        if not (up and wanted) or self._key in _ending:
            self._why = "it was told to end"
            return False
        return True

    def _finish(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            process.kill()

    def _read(self, stream: Any) -> None:
        for raw in stream:
            line = raw.decode(errors="replace").rstrip()
            said = protocol.read(line)
            if said is None:
                self._tail.append(line)
            elif "failed" in said:
                self._why = str(said["failed"])
            elif "note" in said:
                self._worker.log_event(TOPIC + self._key, json.dumps(said))
