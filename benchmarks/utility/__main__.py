"""Figure 3 of the 127-qubit kicked Ising experiment, exactly: values, time, memory, and the way.

    python -m benchmarks.utility [--quick] [--check] [--only "weight 17"] [--plot FILE.html]

For each observable, Q-Dreamer recommends a way for all angles at once and runs it, in a process of
its own, so that the peak of its memory is that observable's; kernels are loaded there, too. With
`--check`, every value is compared with a tensor network that shares no code with this project,
those at 0 and π/2 with the stabilizer method, and some with matrix product states; the exit code
is 1 if one is off.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.utility.checks import off
from benchmarks.utility.experiment import OBSERVABLES, Observable
from benchmarks.utility.measure import Row, measured
from benchmarks.utility.plot import write_plot


def main() -> None:
    """Run, print tables, and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 angles instead of 9")
    parser.add_argument("--check", action="store_true", help="compare with other methods")
    parser.add_argument("--only", choices=[each.name for each in OBSERVABLES])
    parser.add_argument("--plot", type=Path, help="where to write a plot, as HTML")
    args = parser.parse_args()
    angles = np.linspace(0, math.pi / 2, 3 if args.quick else 9).tolist()
    rows: dict[str, Row] = {}
    for number, each in enumerate(OBSERVABLES):
        if args.only in (None, each.name):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as alone:
                rows[each.name] = alone.submit(measured, number, angles).result()
            print(_told(each, rows[each.name], len(angles)), flush=True)
    print("\n   θ/π    " + "".join(f"{name:>22}" for name in rows))
    for k, angle in enumerate(angles):
        cells = "".join(f"{row.values[k]:22.15f}" for row in rows.values())
        print(f"  {angle / math.pi:.4f}  {cells}")
    if args.plot is not None:
        write_plot(args.plot, angles, {name: row.values for name, row in rows.items()})
        print(f"\nplot: {args.plot}")
    if args.check:
        observables = {each.name: each for each in OBSERVABLES}
        wrong = [off(observables[name], angles, row.values) for name, row in rows.items()]
        if any(wrong):
            sys.exit(1)


def _told(each: Observable, row: Row, count: int) -> str:
    return (
        f"figure 3{each.panel}, {each.name}: {row.way}; {row.fragments}\n"
        f"    recommended in {row.recommend_s:.2f} s, told {row.told_s:.2f} s for {count} angles, "
        f"took {row.run_s:.2f} s\n"
        f"    told {row.memory_bytes / 2**20:,.0f} MiB, the process had at most "
        f"{row.peak_bytes / 2**20:,.0f} MiB"
    )


if __name__ == "__main__":
    main()
