"""Twenty thousand tasks while workers join and leave: the pilot against bare Dask, in one run.

    python -m benchmarks.dispatch [--tasks 20000] [--workers 8] [--repeats 3] [--json FILE]

Bare Dask is a `LocalCluster` with TLS, as the pilot has it, and a `Client`. Both start with all
workers; whenever a tenth of the tasks is done, two of them leave, or come back.
Only ratios mean anything, and the memory of the agent. Both are also measured without any change.
"""

import argparse
import contextlib
import json
import statistics
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import psutil

PARTS = 10
FEWER = 2


def noop(number: int) -> int:
    """The task."""
    return number


class Coming:
    """A thread that takes workers away and brings them back, whenever a tenth of the tasks is done.

    Args:
        futures: The tasks that are submitted so far; it may grow.
        tasks: How many there will be.
        scale: Called with the number of workers that there should be.
        workers: How many there are at first, and every other time.
    """

    def __init__(
        self, futures: list[Any], tasks: int, scale: Callable[[int], object], workers: int
    ) -> None:
        self.changes = 0
        self._futures = futures
        self._marks = [tasks * part // PARTS for part in range(1, PARTS)]
        self._scale = scale
        self._workers = workers
        self._thread = threading.Thread(target=self._go, daemon=True)

    def _go(self) -> None:
        for mark in self._marks:
            while len(self._futures) <= mark:
                time.sleep(0.01)
            self._futures[mark].result()
            self.changes += 1
            self._scale(self._workers - FEWER * (self.changes % 2))

    def __enter__(self) -> "Coming":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._scale(self._workers)


class Peak:
    """The most memory that a process had, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)

    def _go(self) -> None:
        while not self._over.wait(0.1):
            self.bytes = max(self.bytes, self._process.memory_info().rss)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


Peer = tuple[Callable[..., Any], Callable[[list[Any]], list[Any]], Callable[[int], object], Any]
"""How to submit, how to gather, how to scale, and how many workers are up."""


@contextlib.contextmanager
def the_pilot(workers: int) -> Iterator[tuple[Peer, int]]:
    """A session with a local pilot, and the process of its agent."""
    import pilot_kernel

    with pilot_kernel.Session() as session:
        pilot = session.add_pilot("local://", cores_per_node=workers)
        peer: Peer = (
            session.submit,
            lambda futures: [future.result() for future in futures],
            pilot.scale,
            lambda: pilot.status.workers,
        )
        yield peer, session._link.entry.pid


@contextlib.contextmanager
def bare_dask(workers: int) -> Iterator[Peer]:
    """A cluster of Dask's own on this machine."""
    from distributed import Client, LocalCluster
    from distributed.security import Security

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=None,
            protocol="tls://",
            security=Security.temporary(),
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield (
            lambda fn, number: client.submit(fn, number, pure=False),
            client.gather,
            cluster.scale,
            lambda: len(cluster.scheduler.workers),
        )


def tasks_per_s(peer: Peer, tasks: int, workers: int, *, changing: bool) -> tuple[float, int]:
    """Tasks per second, submitted one by one and then collected; and how often workers changed."""
    submit, gather, scale, up = peer
    while up() != workers:
        time.sleep(0.05)
    futures: list[Any] = []
    changes = Coming(futures, tasks, scale, workers) if changing else None
    with changes or contextlib.nullcontext():
        start = time.perf_counter()
        futures.extend(submit(noop, number) for number in range(tasks))  # grows as it goes
        assert gather(futures) == list(range(tasks))
        seconds = time.perf_counter() - start
    return tasks / seconds, changes.changes if changes else 0


def main() -> None:
    """Measure, print a table, and optionally keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", help="file for the raw figures")
    args = parser.parse_args()
    warnings.simplefilter("ignore")

    rates: dict[str, list[float]] = {}
    with (
        the_pilot(args.workers) as (pilot, agent),
        bare_dask(args.workers) as dask,
        Peak(agent) as peak,
    ):
        peers = {"pilot": pilot, "dask": dask}
        for peer in peers.values():
            tasks_per_s(peer, 20 * args.workers, args.workers, changing=False)
        for _ in range(args.repeats):
            for changing in (False, True):
                for name, peer in peers.items():
                    rate, changes = tasks_per_s(peer, args.tasks, args.workers, changing=changing)
                    what = f"{name}, {'changing' if changing else 'steady'}"
                    rates.setdefault(what, []).append(rate)
                    print(f"{what:20}{rate:8.0f} tasks/s, {changes} changes", flush=True)
    print(f"\n{args.tasks:,} tasks, {args.workers} workers, median of {args.repeats}")
    for how in ("steady", "changing"):
        ours, theirs = (statistics.median(rates[f"{name}, {how}"]) for name in peers)
        print(f"{how:10} pilot / bare Dask (TLS) {ours / theirs:6.2f}   wanted >= 0.8")
    print(f"agent's memory at its peak {peak.bytes / 1e9:.2f} GB   wanted < 1")
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"tasks_per_s": rates, "agent_peak_bytes": peak.bytes}, file)


if __name__ == "__main__":
    main()
