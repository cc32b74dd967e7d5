"""What motifs cost beyond their work: overhead on two workers, weak scaling, overlapped stages.

Each figure is the best of several runs that take turns, since a machine is never quiet. Overhead is
the part of the workers' time in which they neither worked nor waited for one another or for the
notebook's own work: a report's `overhead` and `communication` together.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path
from typing import Any

import pilot_kernel
from qdreamer_lab.workflow.command import chosen

OVERHEAD = ("circuit-execution", "circuit-cutting", "learning", "pipeline")

WEAK: dict[str, tuple[list[str], list[str]]] = {
    "circuit-execution": (["circuits=32"], ["circuits=64"]),
    "circuit-cutting": (
        ["qubits=20", "widths=11", "reps=2", "recommend=no", "precision=0.0007"],
        ["qubits=20", "widths=11", "reps=2", "recommend=no", f"precision={0.0007 / 2**0.5}"],
    ),
    "learning": (
        ["classifiers=variational", "samples=160", "minibatch=48"],
        ["classifiers=variational", "samples=160", "minibatch=96"],
    ),
}
"""Settings for one worker, and for two with twice the work."""


def main() -> None:
    """Measure, print, and write a row for each figure if wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--out", type=Path, help="write rows as JSON lines, too")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=2, cores_per_worker=1, name="two")
        session.add_pilot("local://", cores_per_node=1, cores_per_worker=1, name="one")
        session.add_pilot("local://", cores_per_node=1, cores_per_worker=1, name="other")
        for name in OVERHEAD:
            rows.append(_overhead(session, name, arguments.times))
            print(rows[-1], flush=True)
        for name in WEAK:
            rows.append(_weak(session, name, arguments.times))
            print(rows[-1], flush=True)
        rows.append(_overlap(session, arguments.times))
        print(rows[-1], flush=True)
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _run(session: Any, name: str, *settings: str) -> Any:
    return chosen(name, "small", settings).run(session)


def _overhead(session: Any, name: str, times: int) -> dict[str, Any]:
    _run(session, name, "on=two")  # what is loaded or planned once
    reports = [_run(session, name, "on=two") for _ in range(times)]
    best = min(reports, key=lambda report: report.spent.overhead)
    return {
        "figure": "overhead",
        "motif": name,
        "overhead": best.spent.overhead,
        "median": statistics.median(report.spent.overhead for report in reports),
        **best.metrics,
        "load": os.getloadavg()[0],
    }


def _weak(session: Any, name: str, times: int) -> dict[str, Any]:
    small, large = WEAK[name]
    one, two = [], []
    for _ in range(times):
        one.append(_run(session, name, "on=one", *small).spent.wall_s)
        two.append(_run(session, name, "on=two", *large).spent.wall_s)
    return {
        "figure": "weak scaling",
        "motif": name,
        "efficiency": min(one) / min(two),
        "one_s": min(one),
        "two_s": min(two),
        "load": os.getloadavg()[0],
    }


def _overlap(session: Any, times: int) -> dict[str, Any]:
    walls: dict[str, list[float]] = {"yes": [], "no": []}
    for _ in range(times):
        for overlap, found in walls.items():
            report = _run(session, "pipeline", "on=one", "quantum=other", f"overlap={overlap}")
            found.append(report.spent.wall_s)
    return {
        "figure": "overlap",
        "motif": "pipeline",
        "sooner": min(walls["no"]) / min(walls["yes"]),
        **{f"{overlap}_s": min(found) for overlap, found in walls.items()},
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
