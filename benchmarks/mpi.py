"""What `submit_mpi` costs over bare mpirun: the same function in the same ranks, in turns.

    python -m benchmarks.mpi [--ranks 4] [--rounds 7]

Both start Python and MPI in each rank and end with the sum of all ranks' numbers. Bare mpirun is
given a script and the same environment; its time is from its start to its end. That of a task is
from being submitted to having its result, on a pilot that is up.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pilot_kernel
from pilot_kernel.task.mpi.launcher import Launcher, find

_SCRIPT = """
from mpi4py import MPI
total = MPI.COMM_WORLD.allreduce(MPI.COMM_WORLD.Get_rank())
if MPI.COMM_WORLD.Get_rank() == 0:
    print(total)
"""


def total(comm: Any) -> int:
    """The sum of all ranks' numbers."""
    return int(comm.allreduce(comm.Get_rank()))


def bare(launcher: Launcher, ranks: int, script: Path) -> float:
    """Seconds that mpirun takes for the script."""
    began = time.perf_counter()
    done = subprocess.run(
        launcher.command(ranks, ranks, [sys.executable, str(script)]),
        env=launcher.environment(os.environ, ranks, ranks),
        check=True,
        capture_output=True,
    )
    assert int(done.stdout) == sum(range(ranks))
    return time.perf_counter() - began


def tasked(session: pilot_kernel.Session, ranks: int) -> float:
    """Seconds that a task takes for the function."""
    began = time.perf_counter()
    assert session.submit_mpi(total, ranks=ranks).result() == sum(range(ranks))
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="submit_mpi against bare mpirun")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    launcher = find("mpirun")[0]
    with tempfile.TemporaryDirectory() as folder, pilot_kernel.Session() as session:
        script = Path(folder, "total.py")
        script.write_text(_SCRIPT)
        session.add_pilot("local://", cores_per_node=args.ranks, cores_per_worker=args.ranks)
        tasked(session, args.ranks)
        bare(launcher, args.ranks, script)
        rows = [
            (bare(launcher, args.ranks, script), tasked(session, args.ranks))
            for _ in range(args.rounds)
        ]
    without, with_task = (statistics.median(column) for column in zip(*rows, strict=True))
    for name, seconds in (("bare mpirun", without), ("submit_mpi", with_task)):
        print(f"{name:12} {seconds:6.2f} s")
    over = statistics.median(task - mpirun for mpirun, task in rows)
    spread = ", ".join(f"{task - mpirun:+.2f}" for mpirun, task in rows)
    print(f"{'overhead':12} {over:6.2f} s, the median of {spread}; at most 0.5 s is wanted")


if __name__ == "__main__":
    main()
