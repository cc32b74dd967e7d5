"""Prints how the value of a plan falls with the time given, on circuits that are hard to cut.

    python -m benchmarks.finder.curves
    python -m benchmarks.finder.curves multiplier_45 lookup_34 --seconds 0.05 1

Every cell is a search of its own, from nothing: what the process knows is forgotten before. Beside
the bits of the plan stand those of the bound, and the seconds that were used.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.finder.__main__ import problem_of
from benchmarks.finder.hard_cases import HARD
from benchmarks.finder.scorer import score
from qdreamer_lab.search.finder import make_ready, search
from qdreamer_lab.search.memory import forget
from qdreamer_lab.workload.circuit.blocks import to_blocks

SECONDS = (0.05, 0.2, 1.0, 5.0, 20.0)


def main() -> None:
    """Search every circuit with every limit."""
    parser = argparse.ArgumentParser("benchmarks.finder.curves", description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="*", help="only these circuits")
    parser.add_argument("--seconds", nargs="*", type=float, default=SECONDS)
    parser.add_argument("--cost", default="lo", choices=("lo", "joint", "locc"))
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    make_ready(chosen.cost)
    print(f"{'circuit':25s}   W" + "".join(f"{f'in {s:g} s':>27s}" for s in chosen.seconds))
    for case in HARD:
        if chosen.cases and case.name not in chosen.cases:
            continue
        blocks = to_blocks(case.build())
        for width in case.widths:
            cells = []
            for seconds in chosen.seconds:
                forget()
                began = time.perf_counter()
                found = search(
                    problem_of(blocks, width),
                    cost=chosen.cost,
                    time_limit_s=seconds,
                    seed=chosen.seed,
                )
                used = time.perf_counter() - began
                checked = score(blocks.pairs, blocks.unitaries, found.labels)
                value = getattr(checked, chosen.cost)
                if max(checked.widths) > width or abs(value - found.log2_overhead) > 1e-6:
                    raise AssertionError(f"{case.name}: {found} is not what it says")
                mark = "*" if found.proven_optimal else " "
                cells.append(f"{value:9.2f}{mark}>{found.log2_lower_bound:7.2f} {used:6.2f}s")
            print(f"{case.name:25s}{width:4d}  " + "  ".join(cells), flush=True)
    print("bits of the plan > bits that no plan costs less than; * proven optimal")


if __name__ == "__main__":
    main()
