"""The pilot against its peers, in one run: bare Dask, ipyparallel, and Aer in this process.

    python -m benchmarks.pilot [--tasks 2000] [--repeats 5] [--workers 2] [--json FILE]

Each figure is the median over the repeats, and the peers take turns within each repeat, so that a
machine whose speed drifts slows all of them. Only the ratios mean anything.
"""

import argparse
import json
import logging
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

ROUND_TRIPS = 50
PUBS = 100


def noop(number: int) -> int:
    """The task."""
    return number


def throughput(submit: Callable[..., Any], gather: Callable[..., Any], tasks: int) -> float:
    """Tasks per second, submitted one by one and then collected."""
    start = time.perf_counter()
    assert gather([submit(noop, number) for number in range(tasks)]) == list(range(tasks))
    return tasks / (time.perf_counter() - start)


def round_trip_ms(submit: Callable[..., Any]) -> float:
    """Milliseconds from submitting one task to having its result, the median of fifty."""
    times = []
    for number in range(ROUND_TRIPS):
        start = time.perf_counter()
        assert submit(noop, number).result() == number
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def overheads(tasks: int, repeats: int, workers: int) -> dict[str, dict[str, list[float]]]:
    """Throughput and round trip of the pilot, bare Dask and ipyparallel, in turns."""
    import ipyparallel
    from distributed import Client, LocalCluster

    import pilot_kernel

    rows: dict[str, dict[str, list[float]]] = {}
    with (
        pilot_kernel.Session() as session,
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
        ipyparallel.Cluster(n=workers, log_level=logging.ERROR) as engines,
    ):
        session.add_pilot("local://", cores_per_node=workers)
        view = engines.load_balanced_view()
        view.block = False
        peers = {
            "pilot": (session.submit, lambda futures: [f.result() for f in futures]),
            "dask": (lambda fn, n: client.submit(fn, n, pure=False), client.gather),
            "ipyparallel": (view.apply_async, lambda futures: [f.get() for f in futures]),
        }
        for submit, gather in peers.values():
            throughput(submit, gather, 20 * workers)
        for _ in range(repeats):
            for name, (submit, gather) in peers.items():
                row = rows.setdefault(name, {"tasks_per_s": [], "round_trip_ms": []})
                row["tasks_per_s"].append(throughput(submit, gather, tasks))
                row["round_trip_ms"].append(round_trip_ms(submit))
    return rows


_COLD = {
    "pilot": "import pilot_kernel as p; s = p.Session(); print(s.submit(pow, 2, 2).result());"
    " s.close()",
    "ipyparallel": "import ipyparallel as i, logging; c = i.Cluster(n={workers}, log_level=40);"
    " v = c.start_and_connect_sync().load_balanced_view(); print(v.apply_sync(pow, 2, 2));"
    " c.stop_cluster_sync()",
}


def cold_start_s(workers: int, repeats: int) -> dict[str, list[float]]:
    """Seconds from starting Python to the first result, pilot and ipyparallel in turns."""
    rows: dict[str, list[float]] = {name: [] for name in _COLD}
    for _ in range(repeats):
        for name, program in _COLD.items():
            command = [sys.executable, "-c", program.format(workers=workers)]
            start = time.perf_counter()
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as process:
                while process.stdout.readline() != "4\n":
                    assert process.poll() is None, f"{name} did not start"
                rows[name].append(time.perf_counter() - start)
                process.stdout.read()
    return rows


_LIFE = """
import ctypes, os, resource, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # what is left by processes that end becomes this one's
exec(sys.argv[1])
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(each.ru_utime + each.ru_stime for each in used))
"""


def life_s(workers: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of processor time that a whole life takes, of all its processes: start, task, end.

    On Linux only: elsewhere nobody sees what processes of others have taken.
    """
    rows: dict[str, list[float]] = {name: [] for name in _COLD}
    for _ in range(repeats):
        for name, program in _COLD.items():
            command = [sys.executable, "-c", _LIFE, program.format(workers=workers)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows[name].append(float(done.stdout.split()[-1]))
    return rows


_LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
start = time.perf_counter()
shell.run_line_magic("load_ext", "pilot_kernel")
print(time.perf_counter() - start)
"""


def load_ext_s(repeats: int) -> list[float]:
    """Seconds that `%load_ext pilot_kernel` takes in a fresh IPython."""
    command = [sys.executable, "-c", _LOAD]
    return [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(repeats)
    ]


def pubs_s(repeats: int, workers: int) -> dict[str, list[float]]:
    """Seconds for a hundred 10-qubit PUBs, through the pilot and through Aer in this process."""
    import numpy as np
    from qiskit.circuit.library import efficient_su2
    from qiskit_aer.primitives import EstimatorV2

    import pilot_kernel

    circuit = efficient_su2(10, reps=2)
    values = np.random.default_rng(1).random((PUBS, circuit.num_parameters))
    pubs = [(circuit.assign_parameters(row), ["Z" * 10, "X" * 10]) for row in values]
    aer = EstimatorV2(options={"backend_options": {"max_parallel_threads": workers}})
    rows: dict[str, list[float]] = {"pilot": [], "aer": []}
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=workers)
        runners = {"pilot": session.estimator(), "aer": aer}
        for runner in runners.values():
            runner.run(pubs[: 2 * workers]).result()
        for _ in range(repeats):
            found = {}
            for name, runner in runners.items():
                start = time.perf_counter()
                result = runner.run(pubs).result()
                rows[name].append(time.perf_counter() - start)
                found[name] = np.array([pub.data.evs for pub in result])
            assert np.allclose(found["pilot"], found["aer"], atol=1e-12)
    return rows


IDLE_S = 60


def idle_percent(workers: int) -> dict[str, float]:
    """Percent of one core that the agent and this process take while nothing happens."""
    import psutil

    import pilot_kernel

    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=workers)
        throughput(session.submit, lambda futures: [f.result() for f in futures], 20 * workers)
        time.sleep(5)
        agent = psutil.Process(session._link.entry.pid)
        watched = {"agent": [agent, *agent.children(recursive=True)], "here": [psutil.Process()]}
        before = {name: _cpu_s(processes) for name, processes in watched.items()}
        time.sleep(IDLE_S)
        return {
            name: 100 * (_cpu_s(processes) - before[name]) / IDLE_S
            for name, processes in watched.items()
        }


def _cpu_s(processes: list[Any]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


SUBMITS = 10_000


def many_submits(workers: int) -> dict[str, dict[str, float]]:
    """Seconds to submit ten thousand tasks, until the first result, and until the last."""
    from distributed import Client, LocalCluster

    import pilot_kernel

    def take(submit: Callable[..., Any]) -> dict[str, float]:
        first: list[float] = []
        start, cpu = time.perf_counter(), time.thread_time()
        futures = []
        for number in range(SUBMITS):
            futures.append(submit(noop, number))
            futures[-1].add_done_callback(lambda _: first or first.append(time.perf_counter()))
        submitted, cpu_s = time.perf_counter() - start, time.thread_time() - cpu
        assert [future.result() for future in futures] == list(range(SUBMITS))
        done = time.perf_counter() - start
        return {"submit": submitted, "cpu": cpu_s, "first": first[0] - start, "all": done}

    with (
        pilot_kernel.Session() as session,
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        session.add_pilot("local://", cores_per_node=workers)
        session.submit(noop, 1).result()
        return {
            "pilot": take(session.submit),
            "dask": take(lambda fn, number: client.submit(fn, number, pure=False)),
        }


def main() -> None:
    """Measure, print a table, and optionally keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", help="file for the raw figures")
    args = parser.parse_args()
    warnings.simplefilter("ignore")

    rows = overheads(args.tasks, args.repeats, args.workers)
    cold = cold_start_s(args.workers, args.repeats)
    life = life_s(args.workers, args.repeats)
    load = load_ext_s(args.repeats)
    pubs = pubs_s(args.repeats, args.workers)
    idle = idle_percent(args.workers)
    many = many_submits(args.workers)

    median = statistics.median
    rate = {name: median(row["tasks_per_s"]) for name, row in rows.items()}
    trip = {name: median(row["round_trip_ms"]) for name, row in rows.items()}
    print(f"{args.workers} workers, {args.tasks} no-op tasks, median of {args.repeats}\n")
    print(f"{'':14}{'tasks/s':>10}{'round trip':>14}{'cold start':>13}{'whole life':>13}")
    for name in rows:
        known = [f"{median(kept[name]):.2f} s" if name in kept else "" for kept in (cold, life)]
        print(f"{name:14}{rate[name]:10.0f}{trip[name]:11.1f} ms{known[0]:>13}{known[1]:>13}")
    print(f"\n{PUBS} PUBs of 10 qubits: pilot {median(pubs['pilot']):.2f} s, ", end="")
    print(f"Aer in process {median(pubs['aer']):.2f} s")
    for name, row in many.items():
        print(
            f"{SUBMITS:,} submits, {name}: " + ", ".join(f"{k} {v:.2f} s" for k, v in row.items())
        )
    print("\nratio                                     value   wanted")
    for label, value, wanted in (
        ("throughput, pilot / bare Dask", rate["pilot"] / rate["dask"], ">= 0.8"),
        ("throughput, pilot / ipyparallel", rate["pilot"] / rate["ipyparallel"], ">= 1.3"),
        ("round trip, pilot / bare Dask", trip["pilot"] / trip["dask"], "<= 1.3"),
        (
            "cold start, pilot / ipyparallel",
            median(cold["pilot"]) / median(cold["ipyparallel"]),
            "< 1",
        ),
        (
            "processor time of a life, pilot / ipyparallel",
            median(life["pilot"]) / median(life["ipyparallel"]),
            "< 1",
        ),
        ("100 PUBs, pilot / Aer in process", median(pubs["pilot"]) / median(pubs["aer"]), "<= 1.2"),
        ("%load_ext, seconds", median(load), "<= 0.3"),
        ("idle agent and workers, % of a core", idle["agent"], "<= 1.5"),
        ("idle notebook process, % of a core", idle["here"], "<= 0.2"),
        (
            "10,000 submits, pilot / bare Dask",
            many["pilot"]["submit"] / many["dask"]["submit"],
            "< 0.7",
        ),
    ):
        print(f"{label:40}{value:8.2f}   {wanted}")
    if args.json:
        with open(args.json, "w") as file:
            figures = {
                "overhead": rows,
                "cold_s": cold,
                "life_s": life,
                "load_ext_s": load,
                "pubs_s": pubs,
            }
            json.dump({**figures, "idle_percent": idle, "many_submits_s": many}, file)


if __name__ == "__main__":
    main()
