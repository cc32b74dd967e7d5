"""The process in which one simulator runs, on cores of its own, told by lines of JSON.

    python -m benchmarks.engine.worker TOOL CORES

TOOL is `ours` or a peer; CORES are numbers of processors, with commas. Its first line says which
release and settings there are. After that, each line that it reads is a request, and each that it
writes the answer. Nothing of the simulator is imported before the process is bound to its cores.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
FORGET_PEAK = "5"
"""Written to `clear_refs`, it makes the kernel take the peak of memory anew (proc(5))."""

MOST_RUNS = 25
"""In one turn."""


def main(tool: str, cores: str) -> None:
    """Answer requests until there are none."""
    os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a simulator prints must not get between the answers
    warnings.simplefilter("ignore")
    print(json.dumps(hello(tool)), file=out, flush=True)
    for line in sys.stdin:
        try:
            answer = turn(tool, json.loads(line))
        except Exception:  # noqa: BLE001  a peer may fail in any way; the answer says how
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=out, flush=True)


def hello(tool: str) -> dict[str, Any]:
    """The release of a simulator, "" if it is not there, and the settings it can run with."""
    if tool == "ours":
        from qdreamer_lab import __version__

        return {"version": __version__, "settings": ["api", "engine"]}
    from benchmarks.engine.peers import settings_of, version_of

    return {"version": version_of(tool), "settings": settings_of(tool)}


def turn(tool: str, request: dict[str, Any]) -> dict[str, Any]:
    """Run for a while, and say how long each run took.

    Returns:
        `values`; `seconds` and `processor_seconds` of each run; `prepare_seconds`; `peak_bytes`
        of the first run, beyond what the process held before it; and `predicted_bytes`.
    """
    prepared = prepare(tool, request)
    before = settled_bytes()
    until = time.perf_counter() + request["least_seconds"]
    seconds, processor = [], []
    while not seconds or (time.perf_counter() < until and len(seconds) < MOST_RUNS):
        used = time.process_time()
        values, wall = prepared.run()
        processor.append(time.process_time() - used)
        seconds.append(wall)
        if len(seconds) == 1:
            peak = memory_bytes("VmHWM") - before
    return {
        "values": values,
        "seconds": seconds,
        "processor_seconds": processor,
        "prepare_seconds": prepared.prepare_seconds,
        "peak_bytes": peak,
        "predicted_bytes": prepared.predicted_bytes,
    }


def prepare(tool: str, request: dict[str, Any]) -> Any:
    """Have a simulator get ready for what is asked."""
    from benchmarks.engine.gates import Circuit

    circuit = Circuit.of(request["circuit"]) if request.get("circuit") else None
    if tool == "ours":
        from benchmarks.engine.ours import prepared

        return prepared(request, circuit)
    from benchmarks.engine.peers import PEERS

    assert circuit is not None, "peers run whole circuits"
    return PEERS[tool](circuit, request["setting"])


def settled_bytes() -> int:
    """Memory held now, with what was freed given back, and the peak forgotten."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
    return memory_bytes("VmRSS")


def memory_bytes(key: str) -> int:
    """A line of this process's status."""
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines() if ":" in line)
    return int(lines[key].split()[0]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
