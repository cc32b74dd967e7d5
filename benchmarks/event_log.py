"""What the event log costs the agent: the ledger's own time per task, with a log and without.

    python -m benchmarks.event_log [--tasks 20000] [--repeats 5]

It plays what a scheduler tells of tasks that do nothing, so nothing else takes time. Seconds are
those of the thread that does it, the agent's event loop; the log is written by another one. To
be compared with the several hundred µs that an agent takes for such a task in all.
"""

import argparse
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from pilot_kernel.resource.event_log import EventLog
from pilot_kernel.task.ledger import Ledger
from pilot_kernel.task.wire.record import TOPIC

ADDRESS = "tls://127.0.0.1:1"


class Scheduler:
    """What the ledger asks of a scheduler."""

    def __init__(self, keys: list[str]) -> None:
        offers = {"CPU": 1, "pilot:local": 1, "cores": 1, "memory": 10**9}
        worker = SimpleNamespace(name="local-0", resources=offers, nthreads=1, address=ADDRESS)
        self.workers = {ADDRESS: worker}
        self.tasks = {key: _task(key, worker) for key in keys}
        self.allowed_failures = 9

    def finish(self, *_: object) -> None:
        """A task is done."""

    def settle(self, *_: object) -> None:
        """A task has a result."""


def _task(key: str, worker: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(
        key=key,
        state="waiting",
        resource_restrictions={"CPU": 1},
        worker_restrictions=None,
        dependencies=(),
        annotations={"workload": "abcdef1234"},
        processing_on=worker,
        nbytes=30,
        suspicious=0,
    )


def seconds(tasks: int, log: EventLog | None) -> float:
    """Seconds for so many tasks."""
    keys = [f"noop-abcdef1234{number}" for number in range(tasks)]
    ledger = Ledger()
    ledger.scheduler, ledger.event_log = Scheduler(keys), log
    begin = time.thread_time()
    ledger.update_graph(ledger.scheduler, tasks=keys)
    for key in keys:
        ledger.transition(key, "released", "waiting")
        ledger.transition(key, "waiting", "processing")
        now = time.time()
        ledger.log_event(TOPIC, {"key": key, "result": b"x" * 20})
        ran = ({"action": "compute", "start": now, "stop": now + 0.01},)
        ledger.transition(key, "processing", "memory", worker=ADDRESS, startstops=ran)
    return time.thread_time() - begin


def main() -> None:
    """Measure in turns, and print the least of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    taken: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(Path(folder, "agent.jsonl"), {})
        for _ in range(args.repeats):
            taken["without"].append(seconds(args.tasks, None))
            taken["with"].append(seconds(args.tasks, log))
            log.flush()
        log.close()
        size = log.path.stat().st_size / args.repeats / args.tasks
    without, logged = (1e6 * min(row) / args.tasks for row in taken.values())
    print(f"{args.tasks:,} tasks, least of {args.repeats}")
    print(
        f"ledger {without:.1f} µs a task, with a log {logged:.1f} µs: {logged - without:.1f} more"
    )
    print(f"{size:.0f} bytes a task")


if __name__ == "__main__":
    main()
