"""The cut runtime against its peers, and against what it must reach, in one run.

    python -m benchmarks.runtime
    python -m benchmarks.runtime mps chain coverage --out artifacts/cut_runtime.jsonl

Parts, all of them unless some are named: `addon` (exact, against qiskit-addon-cutting's exact
simulator; two minutes), `mps`, `chain`, `aer`, `kicked`, `sampled` (against the addon with Aer's
sampler; two minutes), `coverage`, `workers`, `loop`. Times are of whole calls, from Qiskit circuit
to values, plan included, in a process where everything ran once before: the median of several for
ours, one run for a peer that takes long. Only ratios of one run count. Noise has a script of its
own, `noise.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.runtime import exact, sampled, workers
from benchmarks.runtime.rows import HEAD, Row, line_of

Part = Callable[[argparse.Namespace], Iterator[Row]]

PARTS: dict[str, Part] = {
    "addon": lambda _: exact.against_addon(),
    "mps": lambda _: exact.against_mps(),
    "chain": lambda _: exact.growth(),
    "aer": lambda _: exact.against_aer(),
    "kicked": lambda _: exact.kicked(),
    "sampled": lambda chosen: sampled.against_addon(chosen.seeds, chosen.peer_seeds),
    "coverage": lambda chosen: sampled.coverage(chosen.repeats),
    "workers": lambda _: workers.workers(),
    "loop": lambda _: workers.loop(),
}


def main() -> None:
    """Run the parts that are asked for, and print each row as it comes."""
    parser = argparse.ArgumentParser("benchmarks.runtime", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--seeds", type=int, default=40, help="of ours, in `sampled`")
    parser.add_argument("--peer-seeds", type=int, default=30, help="of the addon's, in `sampled`")
    parser.add_argument("--repeats", type=int, default=300, help="in `coverage`")
    parser.add_argument("--out", type=Path, help="write rows here as JSON lines")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there is {', '.join(PARTS)}")
    warnings.simplefilter("ignore")
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    rows: list[Row] = []
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start\n")
    print(line_of(HEAD))
    for name in chosen.parts or PARTS:
        for row in PARTS[name](chosen):
            rows.append(row)
            print(row.line(), flush=True)
            if chosen.out:
                chosen.out.write_text("".join(each.json() + "\n" for each in rows))
    missed = [row.name.strip() for row in rows if row.met is not None and not row.met]
    met = sum(bool(row.met) for row in rows)
    print(f"\n{met} bars met, {len(missed)} missed, in {time.perf_counter() - began:.0f} s")
    for name in missed:
        print(f"missed: {name}")
    print("noise: see python -m benchmarks.runtime.noise")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
