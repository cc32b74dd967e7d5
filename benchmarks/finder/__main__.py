"""Compares the cut finder with qiskit-addon-cutting and QCut, row by row.

    python -m benchmarks.finder --ours-only
    python -m benchmarks.finder --qcut-python .bench/bin/python --out artifacts/cuts.jsonl

A row is one circuit and one width. Every plan of ours is checked and priced by `scorer.py`,
which shares no code with the finder. Times are of whole calls, from Qiskit circuit to plan, warm,
with default settings: the median of three for ours, each of which starts from nothing, and one run
for a peer (its first small call excluded). A plan that is not proven takes ours all of its second.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.circuits import CASES
from benchmarks.finder.scorer import score
from qdreamer_lab import plan_cuts
from qdreamer_lab.search.finder import search
from qdreamer_lab.search.memory import forget
from qdreamer_lab.search.problem import CutProblem, Found
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.schmidt import schmidt_coefficients

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qdreamer_lab.workload.circuit.block_circuit import BlockCircuit

MODELS = ("lo", "joint", "locc")
PEERS = ("addon", "qcut", "qcut_lo")
ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]


def problem_of(blocks: BlockCircuit, width: int) -> CutProblem:
    """Turn a circuit in normal form into what the finder asks for."""
    u = schmidt_coefficients(blocks.unitaries)
    gamma = np.maximum(1.0, 2 * u.sum(axis=1) ** 2 - 1)
    rank = np.count_nonzero(u > 1e-7, axis=1)
    sine = np.where(rank <= 2, np.minimum(1.0, (gamma - 1) / 2), np.nan)
    return CutProblem(
        blocks.num_qubits, blocks.pairs, 2 * np.log2(gamma), width, sine=sine, rank=rank
    )


def prove(circuit: QuantumCircuit, width: int, seconds: float) -> Found:
    """Search from nothing for a proof, for which `plan_cuts` takes less of its time."""
    forget()
    problem = problem_of(to_blocks(circuit), width)
    return search(problem, time_limit_s=seconds, prove=True)


def run_ours(circuit: QuantumCircuit, name: str, width: int, cost: str, prove_s: float) -> Row:
    """Find a plan, time it, have it checked, and try to prove it if asked."""
    seconds = []
    for _ in range(3):
        forget()
        began = time.perf_counter()
        found = plan_cuts(circuit, width, cost=cost)
        seconds.append(time.perf_counter() - began)
    blocks = to_blocks(circuit)
    checked = score(blocks.pairs, blocks.unitaries, found.labels)
    if max(checked.widths) > width:
        raise AssertionError(f"{name}: a fragment holds {max(checked.widths)} > {width} qubits")
    price = getattr(checked, cost)
    if abs(price - found.log2_overhead) > 1e-6:
        raise AssertionError(f"{name}: the finder says {found.log2_overhead}, it is {price}")
    row: Row = {"case": name, "width": width, "tool": cost, "log2": price}
    row |= {"seconds": statistics.median(seconds), "widths": list(checked.widths)}
    row |= {"bound": found.log2_lower_bound, "proven": found.proven_optimal}
    if prove_s and cost == "lo" and not found.proven_optimal:
        proof = prove(circuit, width, prove_s)
        row |= {"proof_log2": proof.log2_overhead, "proof_proven": proof.proven_optimal}
        row |= {"proof_bound": proof.log2_lower_bound, "proof_seconds": proof.seconds}
    return row


def run_peer(python: str, tool: str, wanted: list[tuple[str, int]]) -> list[Row]:
    """Run a peer in its own interpreter; return its rows."""
    words = [word for name, width in wanted for word in (name, str(width))]
    command = [python, "-m", "benchmarks.finder.peers", tool, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def table(rows: list[Row]) -> str:
    """Lay the rows out, ours beside the peers'."""
    index = {(row["case"], row["width"], row["tool"]): row for row in rows}
    columns = [tool for tool in (*MODELS, *PEERS) if any(row["tool"] == tool for row in rows)]
    lines = ["case".ljust(25) + " W".rjust(4) + "".join(c.rjust(22) for c in columns)]
    for name, width in dict.fromkeys((row["case"], row["width"]) for row in rows):
        cells = []
        for tool in columns:
            row = index.get((name, width, tool), {})
            value = row.get("log2")
            if value is None:
                cells.append("-".rjust(22))
                continue
            mark = "*" if row.get("proven") or row.get("proof_proven") else " "
            cells.append(f"{value:11.3f}{mark}{row['seconds'] * 1e3:8.1f}ms")
        lines.append(name.ljust(25) + f"{width:4d}" + "".join(cells))
    return "\n".join([*lines, "* proven optimal under its own cost model"])


def summary(rows: list[Row]) -> str:
    """Count wins and losses, and compare times."""
    index = {(row["case"], row["width"], row["tool"]): row for row in rows}
    cases = list(dict.fromkeys((row["case"], row["width"]) for row in rows))
    lines = []
    for model in MODELS:
        rivals = ("addon", "qcut_lo") if model == "lo" else ("addon", "qcut")
        worse = better = compared = 0
        for case in cases:
            ours = index.get((*case, model))
            theirs = [best_of(index.get((*case, tool), {})) for tool in rivals]
            theirs = [value for value in theirs if math.isfinite(value)]
            if ours is None or not theirs:
                continue
            compared += 1
            worse += ours["log2"] > min(theirs) + 1e-5
            better += ours["log2"] < min(theirs) - 1e-5
        lines.append(f"{model}: {compared} rows, better {better}, worse {worse}")
    for tool in PEERS:
        ratios = [
            index[(*case, tool)]["seconds"] / index[(*case, "lo")]["seconds"]
            for case in cases
            if "seconds" in index.get((*case, tool), {}) and (*case, "lo") in index
        ]
        if ratios:
            mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
            lines.append(f"lo is {mean:.0f} times as fast as {tool} (geometric mean)")
    proven = sum(
        1 for row in rows if row.get("proof_proven", row.get("proven")) and row["tool"] == "lo"
    )
    lines.append(f"lo proven optimal: {proven} of {len(cases)} rows")
    return "\n".join(lines)


def best_of(row: Row) -> float:
    """Bits of a peer's plan: by our own account of its cuts where there is one, else by its own."""
    value = row.get("checked") if row.get("tool") == "qcut_lo" else row.get("log2")
    return math.inf if value is None else float(value)


def plot(rows: list[Row], path: Path) -> None:
    """Draw overhead and time of every tool, row by row."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    cases = list(dict.fromkeys((row["case"], row["width"]) for row in rows))
    figure, axes = plt.subplots(2, 1, figsize=(12, 8), sharex=True)
    for tool, marker in zip((*MODELS, *PEERS), "osD^v<", strict=True):
        mine = {(row["case"], row["width"]): row for row in rows if row["tool"] == tool}
        for axis, key in zip(axes, ("log2", "seconds"), strict=True):
            points = [(k, mine[c][key]) for k, c in enumerate(cases) if key in mine.get(c, {})]
            if points:
                axis.plot(*zip(*points, strict=True), marker, label=tool, alpha=0.7)
    axes[0].set(yscale="log", ylabel="sampling overhead (bits)")
    axes[1].set(yscale="log", ylabel="time of a whole call (s)")
    axes[1].set_xticks(range(len(cases)), [f"{name} W={width}" for name, width in cases])
    axes[1].tick_params(axis="x", rotation=70)
    axes[0].legend(ncols=3)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser("benchmarks.finder", description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="only these circuits")
    parser.add_argument("--ours-only", action="store_true")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS, help="only these")
    parser.add_argument("--qcut-python", help="interpreter of an environment with QCut 2.2")
    parser.add_argument("--prove", type=float, default=0.0, metavar="S", help="seconds for a proof")
    parser.add_argument("--peers-from", type=Path, help="JSON lines of an earlier run of peers")
    parser.add_argument("--out", type=Path, help="write rows here as JSON lines, and a plot beside")
    chosen = parser.parse_args()
    rows: list[Row] = []
    wanted: list[tuple[str, int]] = []
    for cost in MODELS:
        plan_cuts(CASES[-3].build(), 10, cost=cost)
    for case in CASES:
        if chosen.cases and case.name not in chosen.cases:
            continue
        circuit = case.build()
        for width in case.widths:
            wanted.append((case.name, width))
            for cost in MODELS:
                rows.append(run_ours(circuit, case.name, width, cost, chosen.prove))
                print(json.dumps(rows[-1]), flush=True)
    if chosen.peers_from:
        lines = chosen.peers_from.read_text().splitlines()
        rows += [row for row in map(json.loads, lines) if row.get("tool") in PEERS]
    elif not chosen.ours_only:
        if "addon" in chosen.peers:
            rows += run_peer(sys.executable, "addon", wanted)
        for tool in ("qcut", "qcut_lo"):
            if tool in chosen.peers and chosen.qcut_python:
                rows += run_peer(chosen.qcut_python, tool, wanted)
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
        plot(rows, chosen.out.with_suffix(".svg"))
    print(table(rows), summary(rows), sep="\n\n")


if __name__ == "__main__":
    main()
