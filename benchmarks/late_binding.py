"""Late binding against the same tasks dealt out in advance, on pilots that differ in speed.

    python -m benchmarks.late_binding [--tasks 240] [--workers 2] [--speed 3] [--out FOLDER]

Two pilots have as many workers each, and those of one are three times as fast: a task there sleeps
a third of the time, which is what it would take, so that this machine's cores do not matter. Early,
every worker is given an equal share of the tasks beforehand; late, each takes one whenever it is
free. A last run adds the fast pilot when a third of the tasks is done.
"""

import argparse
import random
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pilot_kernel
    from pilot_kernel.sessions.reports.report import Report

MEAN_S = 0.4
"""How long a task takes on a slow worker, on average."""

SEED = 5


@dataclass(frozen=True)
class Run:
    """One way of binding.

    Attributes:
        name: What it is called.
        makespan_s: From the first submit to the last result.
        report: What the session tells of that time.
    """

    name: str
    makespan_s: float
    report: "Report"

    @property
    def under_load(self) -> dict[str, float | None]:
        """How well each worker was used while tasks waited for it."""
        return {worker.name: worker.use.under_load for worker in self.report.workers}


def work(slow_s: float) -> float:
    """The task: it takes less on a worker with more cores."""
    from pilot_kernel.resource import worker_environment

    time.sleep(slow_s / (worker_environment.cores() or 1))
    return slow_s


def add_pilot(session: "pilot_kernel.Session", name: str, workers: int, speed: int) -> None:
    """Add a pilot and wait for its workers."""
    pilot = session.add_pilot(
        "local://", name=name, cores_per_node=workers * speed, cores_per_worker=speed
    )
    while pilot.status.workers < workers:
        time.sleep(0.02)


def run_early(session: "pilot_kernel.Session", tasks: list[float]) -> list[Any]:
    """Deal tasks out in equal shares, in turns."""
    return [
        session.submit(work, each, on=("slow", "fast")[number % 2])
        for number, each in enumerate(tasks)
    ]


def run_late(session: "pilot_kernel.Session", tasks: list[float]) -> list[Any]:
    """Leave it to the pilot."""
    return [session.submit(work, each) for each in tasks]


def measured(
    name: str,
    submit: "Callable[[pilot_kernel.Session, list[float]], list[Any]]",
    tasks: list[float],
    args: argparse.Namespace,
    *,
    fast_later: bool = False,
) -> Run:
    """Run all tasks in a session of their own."""
    import pilot_kernel

    with pilot_kernel.Session() as session:
        add_pilot(session, "slow", args.workers, 1)
        if not fast_later:
            add_pilot(session, "fast", args.workers, args.speed)
        begin = time.time()
        futures = submit(session, tasks)
        if fast_later:
            [future.result() for future in futures[: len(tasks) // 3]]
            add_pilot(session, "fast", args.workers, args.speed)
        assert [future.result() for future in futures] == tasks
        end = time.time()
        return Run(name, end - begin, session.report().between(begin, end))


def table(runs: list[Run]) -> str:
    """Makespans, and how busy workers were."""
    rows = [f"{'':24}{'makespan':>10}  tasks slow + fast   busy while tasks waited for them"]
    for run in runs:
        counts = {pilot.name: pilot.use.done for pilot in run.report.pilots}
        done = f"{counts.get('slow', 0)} + {counts.get('fast', 0)}"
        busy = ", ".join(
            f"{name} {100 * share:.0f} %" if share is not None else f"{name} -"
            for name, share in run.under_load.items()
        )
        rows.append(f"{run.name:24}{run.makespan_s:8.1f} s  {done:18}  {busy}")
    return "\n".join(rows)


def picture(runs: list[Run]) -> str:
    """The workers of each run over time, as a page."""
    parts = [f"<h2>{run.name}</h2>{run.report._repr_html_()}" for run in runs]
    return f"<!DOCTYPE html><meta charset='utf-8'><title>Late binding</title>{''.join(parts)}"


def main() -> None:
    """Measure, print a table, and save a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=240)
    parser.add_argument("--workers", type=int, default=2, help="of each pilot")
    parser.add_argument("--speed", type=int, default=3)
    parser.add_argument("--out", default="artifacts", help="folder for the picture")
    args = parser.parse_args()
    warnings.simplefilter("ignore")

    rng = random.Random(SEED)
    tasks = [rng.uniform(0.5, 1.5) * MEAN_S for _ in range(args.tasks)]
    early = measured("equal shares in advance", run_early, tasks, args)
    late = measured("late binding", run_late, tasks, args)
    joined = measured("fast pilot added later", run_late, tasks, args, fast_later=True)
    runs = [early, late, joined]
    best = sum(tasks) / (args.workers * (1 + args.speed))
    least = min(share for share in late.under_load.values() if share is not None)
    print(table(runs))
    print(f"at best, with no time lost  {best:6.1f} s")
    gain = 1 - late.makespan_s / early.makespan_s
    print(f"\nmakespan, late against equal shares   {100 * gain:.0f} % shorter   wanted >= 25 %")
    print(f"least busy worker while tasks waited  {100 * least:.0f} %           wanted >= 85 %")
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "late_binding.html").write_text(picture(runs))
    print(f"picture: {folder / 'late_binding.html'}")


if __name__ == "__main__":
    main()
