"""Whole circuits and single fragments: our simulator against its peers, in one run.

    python -m benchmarks.engine --peers-python .bench/bin/python --out artifacts/engine.jsonl
    python -m benchmarks.engine --quick
    python -m benchmarks.engine fragment cut --against artifacts/engine_before.jsonl

Parts, all of them unless some are named: `whole` (four families of circuits, three observables,
against the best setting of Aer, Qulacs and PennyLane-Lightning), `fragment` (single fragments, ours
only, for what cores are worth and for memory) and `cut` (cut circuits by the API, ours only). Times
are milliseconds, the best of all runs; for one core the summary also goes by processor time, which
others' work on the machine changes less. Before anything is timed, every simulator and setting must
give the values that plain NumPy gives; a wrong value ends the run at any time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.engine import cases, rows
from benchmarks.engine.gates import dense_values
from benchmarks.engine.peers import QULACS_FUSION, SETTINGS
from benchmarks.engine.rows import FEWER
from benchmarks.engine.turns import AGREE, Simulator, agree, behind, race

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("whole", "fragment", "cut")
QUBITS = (16, 18, 20, 22, 24, 26)
QUICK_QUBITS = (16, 18, 20)
FRAGMENTS = ((36, 12), (36, 18), (44, 22), (48, 24))
CUTS = ((36, 12), (36, 18), (26, 13))
SAME_WITHOUT_RZZ = [f"qulacs:cx {size}" for size in QULACS_FUSION]
NOT_QUICK = [f"qulacs:{way} {size}" for way in ("zz", "cx") for size in ("3", "4")]
"""What --quick leaves out: larger blocks never won on narrow circuits."""

CHECKED_QUBITS = 8
"""Width at which all is compared with plain NumPy."""

REFERENCE_AGREES = 1e-8
"""Matrix product states, which cut circuits are checked against, are good to this."""


class Bench:
    """The simulators of a run, and its rows."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.rows: list[rows.Row] = []
        usable = sorted(os.sched_getaffinity(0))
        if max(chosen.cores) > len(usable):
            raise SystemExit(f"--cores {max(chosen.cores)}: there are {len(usable)} here")
        pythons = {"ours": sys.executable, "aer": sys.executable}
        if chosen.peers_python:
            pythons |= dict.fromkeys(("qulacs", "lightning"), chosen.peers_python)
        self._simulators = {
            cores: {
                tool: Simulator(tool, python, tuple(usable[:cores]))
                for tool, python in pythons.items()
                if tool == "ours" or "whole" in chosen.parts
            }
            for cores in chosen.cores
        }
        self._behind: dict[tuple[str, int], set[str]] = {}

    def describe(self) -> Iterator[str]:
        """Which simulators there are; those that are missing are left out from here on."""
        for simulators in self._simulators.values():
            for tool in [tool for tool, each in simulators.items() if not each.version]:
                simulators.pop(tool).close()
        first = next(iter(self._simulators.values()))
        yield ", ".join(f"{tool} {each.version}" for tool, each in first.items())
        missing = [tool for tool in SETTINGS if tool not in first]
        if missing and "whole" in self.chosen.parts:
            yield f"NOT compared, see --peers-python: {', '.join(missing)}"

    def entrants(self, cores: int, family: str) -> dict[str, Simulator]:
        """Who takes part: all settings but those of peers that were far behind before."""
        simulators = self._simulators[cores]
        tools = [tool for tool in ("ours", *SETTINGS) if tool in simulators]
        names = [f"{tool}:{each}" for tool in tools for each in simulators[tool].settings]
        out = set(self._behind.get((family, cores), ()))
        out |= set(SAME_WITHOUT_RZZ) if family in ("su2", "brickwork") else set()
        out |= set(NOT_QUICK) if self.chosen.quick else set()
        return {name: simulators[name.partition(":")[0]] for name in names if name not in out}

    def check(self) -> None:
        """Every setting of every simulator against plain NumPy.

        Raises:
            SystemExit: If a value is wrong.
        """
        families = [cases.circuit(family, CHECKED_QUBITS) for family in cases.FAMILIES]
        for circuit in (cases.mixed(CHECKED_QUBITS), *families):
            truth = {"NumPy": dense_values(circuit)}
            for cores in self.chosen.cores:
                entrants = self.entrants(cores, circuit.name)
                request = {"circuit": circuit.plain(), "name": circuit.name}
                found = race(entrants, request, 1, 0.0)
                agree(truth | {name: each.values for name, each in found.items()}, circuit.name)

    def whole(self) -> Iterator[rows.Row]:
        """Whole circuits, narrow ones first, all numbers of cores, fewest first.

        A peer on several cores may leave some idle where that is quicker.
        """
        for num_qubits in self.chosen.qubits:
            for family in self.chosen.circuits:
                circuit = cases.circuit(family, num_qubits)
                request = {"circuit": circuit.plain(), "name": f"{family} {num_qubits} q"}
                before: list[rows.Row] = []
                for cores in self.chosen.cores:
                    entrants = self.entrants(cores, family)
                    load = os.getloadavg()[0]
                    found = race(entrants, request, self.chosen.rounds, self.chosen.least_seconds)
                    row = rows.Row("whole", family, num_qubits, num_qubits, cores, load, found)
                    slow = self._behind.setdefault((family, cores), set())
                    slow |= behind(found, num_qubits)
                    for fewer in before:
                        row = row.with_fewer(fewer)
                    before.append(row)
                    yield row

    def ours_only(self, job: str, setting: str) -> Iterator[rows.Row]:
        """Fragments or cut circuits of the demo's family; all numbers of cores take turns."""
        wanted = FRAGMENTS if job == "fragment" else CUTS
        for num_qubits, width in wanted[: 2 if self.chosen.quick and job == "fragment" else None]:
            what = ("even su2", num_qubits, width)
            request = {"job": job, "qubits": num_qubits, "width": width, "name": f"{job} {what}"}
            load = os.getloadavg()[0]
            entrants = {
                f"ours:{setting} {FEWER} {cores}": simulators["ours"]
                for cores, simulators in self._simulators.items()
            }
            found = race(entrants, request, self.chosen.rounds, self.chosen.least_seconds)
            if job == "cut":
                values = {name: each.values for name, each in found.items()}
                agree(values | {"reference": reference(num_qubits)}, str(what), REFERENCE_AGREES)
            for cores, timing in zip(self.chosen.cores, found.values(), strict=True):
                yield rows.Row(job, *what, cores, load, {f"ours:{setting}": timing})

    def run(self) -> Iterator[rows.Row]:
        """All that is asked for."""
        if "whole" in self.chosen.parts:
            yield from self.whole()
        if "fragment" in self.chosen.parts:
            yield from self.ours_only("fragment", "engine")
        if "cut" in self.chosen.parts:
            yield from self.ours_only("cut", "api")

    def close(self) -> None:
        """End all simulators' processes."""
        for simulators in self._simulators.values():
            for each in simulators.values():
                each.close()


def reference(num_qubits: int) -> list[float]:
    """Values of the demo's circuit by matrix product states."""
    from benchmarks.runtime.cases import ends_and_middle
    from benchmarks.runtime.cases import su2 as even_su2
    from qdreamer_lab.reference_values import reference_values

    found = reference_values(even_su2(num_qubits), ends_and_middle(num_qubits))
    return found.values.tolist()


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser("benchmarks.engine", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}")
    peers = "interpreter with Qulacs and PennyLane-Lightning"
    parser.add_argument("--peers-python", type=os.path.abspath, help=peers)
    parser.add_argument("--circuits", nargs="+", choices=cases.FAMILIES, default=[*cases.FAMILIES])
    parser.add_argument("--qubits", nargs="+", type=int, help=f"by default {QUBITS}")
    parser.add_argument("--cores", nargs="+", type=int, help="by default 1 and 2")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each simulator")
    parser.add_argument("--least-seconds", type=float, help="of a turn; 0.3 by default")
    parser.add_argument("--quick", action="store_true", help="narrow circuits, two minutes")
    parser.add_argument("--out", type=Path, help="write rows here as JSON lines")
    parser.add_argument("--against", type=Path, help="rows of an earlier run, to compare with")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there is {', '.join(PARTS)}")
    chosen.parts = chosen.parts or list(PARTS)
    chosen.qubits = sorted(chosen.qubits or (QUICK_QUBITS if chosen.quick else QUBITS))
    chosen.cores = sorted(chosen.cores or [1, 2][: len(os.sched_getaffinity(0))])
    if chosen.least_seconds is None:
        chosen.least_seconds = 0.05 if chosen.quick else 0.3
    return chosen


def main() -> None:
    """Run the parts that are asked for, and print each row as it comes."""
    chosen = options()
    began = time.perf_counter()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start", flush=True)
    bench = Bench(chosen)
    try:
        print(*bench.describe(), sep="\n")
        bench.check()
        print(f"all agree with NumPy to {AGREE:g} at {CHECKED_QUBITS} qubits\n")
        print(rows.line_of(rows.HEAD))
        for row in bench.run():
            bench.rows.append(row)
            print(rows.whole_line(row), flush=True)
            if chosen.out:
                chosen.out.parent.mkdir(parents=True, exist_ok=True)
                chosen.out.write_text("".join(each.json() + "\n" for each in bench.rows))
    finally:
        bench.close()
    lines = [*rows.summary(bench.rows), *rows.scaling(bench.rows), *rows.memory(bench.rows)]
    if chosen.against:
        lines += ["", "before -> after", *rows.against(bench.rows, chosen.against)]
    print("", *lines, f"{time.perf_counter() - began:.0f} s", sep="\n")


if __name__ == "__main__":
    main()
