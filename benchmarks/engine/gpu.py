"""Times the engine on a GPU against the same engine on cores: `python -m benchmarks.engine.gpu`.

It needs a GPU, CuPy, NumPy and numba, and nothing else: no network, no Qiskit. On a bare machine
copy the checkout there and run, in its root,

    python3 -m benchmarks.engine.gpu --out gpu.json

It takes at most four minutes (`--seconds`), about half a minute of which compile kernels for cores.
First every kind of operation is checked against cores and NumPy; if one is wrong, that is said and
nothing is timed. Fragments are chains of random two-qubit blocks, twice from end to end, as a
hardware-efficient ansatz of two repetitions becomes, with choices of two at its ends. Whole
circuits run on NVIDIA's cuStateVec, too, if it is there (`pip install custatevec-cu13`): with one
matrix for each block, and with the best of blocks that are multiplied together beforehand.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine.gpu_check import LIMITS, check_all, cpu_gram, unitary
from benchmarks.engine.gpu_peer import CuStateVec, missing
from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.engine.gpu.costs import gpu_costs
from qdreamer_lab.engine.gpu.device import cupy_module, free_bytes, usable_device
from qdreamer_lab.engine.gpu.packed import pack_programs
from qdreamer_lab.engine.gpu.states import gpu_states
from qdreamer_lab.engine.gpu.tensors import GpuCall, gpu_tensors
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import GpuError


@dataclass(frozen=True)
class Case:
    """A fragment, or several that are alike.

    Attributes:
        name: What it is.
        width: Qubits.
        choices: Ends at which each repetition has a choice of two: 0, 1 or 2.
        dtype: Of the states.
        apart: Whether no block joins its two halves, so that values are products of those.
        copies: How many there are.
        cores: Whether it is run on cores too.
    """

    name: str
    width: int
    choices: int = 0
    dtype: str = "complex128"
    apart: bool = False
    copies: int = 1
    cores: bool = True

    @property
    def rows(self) -> int:
        """State vectors of one."""
        return 4**self.choices

    @property
    def bytes(self) -> int:
        """Of the states of one."""
        return self.rows * np.dtype(self.dtype).itemsize << self.width

    def steps(self, seed: int, qubits: range | None = None) -> list[Step]:
        """Its steps, or those on some of its qubits."""
        rng = np.random.default_rng(seed)
        steps = []
        for repetition in range(2):
            if self.choices > 0:
                steps.append(_branch(rng, 0, 2 * repetition))
            for low in range(self.width - 1):
                block = unitary(rng, 4)[None]
                if not (self.apart and low == self.width // 2 - 1):
                    steps.append(Step((low, low + 1), block))
            if self.choices > 1:
                steps.append(_branch(rng, self.width - 1, 2 * repetition + 1))
        if qubits is None:
            return steps
        inside = [step for step in steps if set(step.qubits) <= set(qubits)]
        return [Step(tuple(q - qubits[0] for q in s.qubits), s.matrices, s.cut) for s in inside]

    @property
    def operators(self) -> tuple[tuple[tuple[int, str], ...], ...]:
        """Three observables."""
        last = self.width - 1
        return (
            tuple((qubit, "Z") for qubit in range(self.width)),
            ((0, "X"), (1, "Z")),
            ((2, "Y"), (last - 1, "Y")),
        )


CASES = (
    Case("W = 12 of 36 q", 12, choices=2),
    Case("32 x W = 12 of 36 q", 12, choices=2, copies=32),
    Case("W = 18 of 36 q", 18, choices=1),
    Case("W = 22 of 44 q", 22, choices=1),
    Case("W = 24 of 48 q", 24, choices=1),
    Case("W = 26 of 52 q", 26, choices=1, dtype="complex64"),
    Case("26 q whole", 26),
    Case("30 q whole", 30, cores=False),
    Case("30 q in halves", 30, apart=True, cores=False),
    Case("32 q in halves", 32, apart=True, cores=False),
    Case("33 q in halves", 33, apart=True, dtype="complex64", cores=False),
)
QUICK = (Case("W = 8", 8, choices=2), Case("9 q", 9), Case("10 q in halves", 10, apart=True))


def _branch(rng: np.random.Generator, qubit: int, cut: int) -> Step:
    return Step((qubit,), np.stack([unitary(rng, 2) for _ in range(2)]) / math.sqrt(2), cut)


@dataclass
class Row:
    """What was measured of a case; times in milliseconds, None where it was not run."""

    case: str
    dtype: str
    rows: int
    blocks: int
    passes: int
    one_core: float | None = None
    all_cores: float | None = None
    gpu_states: float | None = None
    gpu: float | None = None
    peer: float | None = None
    peer_fused: float | None = None
    gigabytes_per_s: float | None = None
    block_floor: float | None = None
    error: float | None = None
    gib: float | None = None
    held_gib: float | None = None
    note: str = ""


class Clock:
    """What is left of the time."""

    def __init__(self, seconds: float) -> None:
        self.end = time.perf_counter() + seconds
        self.rate = 4e-8
        """Seconds on one core per amplitude and block, from the case before."""

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.perf_counter()


def best_of(function: Any, clock: Clock, most: int = 5) -> tuple[float, Any]:
    """Milliseconds of the quickest call, and what it returned; the first one only warms up."""
    result = function()
    found = math.inf
    begin = time.perf_counter()
    for _ in range(most):
        start = time.perf_counter()
        result = function()
        found = min(found, 1e3 * (time.perf_counter() - start))
        if time.perf_counter() - begin > min(4.0, clock.left / 20):
            break
    return found, result


def measure(case: Case, clock: Clock, copy_bytes_per_s: float) -> Row:
    """Run one case on the GPU, and on cores where that is due."""
    cupy, itemsize = cupy_module(), np.dtype(case.dtype).itemsize
    several = [case.steps(seed) for seed in range(case.copies)]
    read = [read_gates(steps, {}) for steps in several]
    costs = gpu_costs(usable_device(), itemsize)
    packed = pack_programs(case.width, read[0][0], [read[0][1]], costs)
    blocks = sum(len(step.qubits) == 2 for step in several[0])
    row = Row(case.name, case.dtype, case.rows * case.copies, blocks, len(packed.passes))
    row.block_floor = 1e3 * 2 * blocks * case.copies * case.bytes / copy_bytes_per_s
    calls = [GpuCall(case.width, tuple(steps), case.operators) for steps in several]
    row.gib = sum(call.bytes_for(itemsize) for call in calls) / 2**30
    if calls[0].bytes_for(itemsize) > free_bytes():
        row.note = f"needs {calls[0].bytes_for(itemsize) / 2**30:.1f} GiB: more than is free"
        return row

    def states() -> None:
        held = gpu_states(case.width, several[0], case.dtype)
        cupy.cuda.Device().synchronize()
        del held

    row.gpu_states, _ = best_of(states, clock)
    row.gigabytes_per_s = packed.amplitudes * itemsize / row.gpu_states / 1e6
    cupy.get_default_memory_pool().free_all_blocks()
    row.gpu, found = best_of(lambda: gpu_tensors(calls, case.dtype), clock)
    row.held_gib = cupy.get_default_memory_pool().total_bytes() / 2**30
    cupy.get_default_memory_pool().free_all_blocks()
    if not missing() and case.choices == 0 and case.width <= 30:  # more takes it minutes
        _on_peer(case, several[0], row, clock, found[0][:, 0, 0].real)
    if case.apart:
        expected = _product_of_halves(case)
    elif case.cores:
        expected = _on_cores(case, several, row, clock)
    else:
        expected = None
        ones = gpu_tensors([GpuCall(case.width, tuple(several[0]), ((),))], case.dtype)[0]
        row.error = float(abs(ones[0, 0, 0] - 1))
        row.note += " error: of the norm alone"
        cupy.get_default_memory_pool().free_all_blocks()
    if expected is not None:
        scale = max(1.0, float(np.abs(expected).max()))
        row.error = float(np.abs(np.array(found) - expected).max() / scale)
    return row


def _on_peer(case: Case, steps: list[Step], row: Row, clock: Clock, expected: np.ndarray) -> None:
    """The same values by cuStateVec, which has to come to them, too."""
    library, times = CuStateVec(), {}
    for most in (2, 3, 4, 5, 6):
        run = library.prepared(case.width, steps, case.operators, case.dtype, most)
        times[most], values = best_of(run, clock, most=3)
        error = float(np.abs(values - expected).max())
        if not error <= LIMITS[case.dtype]:
            row.note += f" cuStateVec differs by {error:.1e}"
        del run
        cupy_module().get_default_memory_pool().free_all_blocks()
    row.peer = times[2]
    best = min(times, key=lambda most: times[most])
    row.peer_fused = times[best]
    row.note += f" {row.peer_fused / (row.gpu or 1):.1f} x cuStateVec (best of matrices: {best} q)"


def _on_cores(case: Case, several: list[list[Step]], row: Row, clock: Clock) -> Any:
    """The same tensors on one core and on all; None where there is no time for either."""
    small = Case("to compile", 8, choices=1, dtype=case.dtype)
    cpu_gram(simulate(8, small.steps(0), case.dtype), small.operators, 1)
    cores = len(os.sched_getaffinity(0))
    work = case.copies * case.rows * row.blocks << case.width
    expected = None
    for name, count in (("all_cores", cores), ("one_core", 1)):
        if work * clock.rate / (1 if count == 1 else min(4, cores)) > clock.left - 60:
            row.note = "no time left for cores"
            continue

        def run(count: int = count) -> list[np.ndarray]:
            found = []
            for steps in several:
                states = simulate(case.width, steps, case.dtype, cores=count)
                found.append(cpu_gram(states, case.operators, count))
            return found

        if case.width < 20:
            taken, expected = best_of(run, clock)
        else:
            start = time.perf_counter()
            expected = run()
            taken = 1e3 * (time.perf_counter() - start)
        setattr(row, name, taken)
        if count == 1:
            clock.rate = taken / 1e3 / work
    return None if expected is None else np.array(expected)


def _product_of_halves(case: Case) -> np.ndarray:
    """Values of a state whose halves know nothing of each other, from these on one core each."""
    middle = case.width // 2
    sides = []
    for qubits in (range(middle), range(middle, case.width)):
        states = simulate(len(qubits), case.steps(0, qubits))
        inner = [
            tuple((q - qubits[0], letter) for q, letter in operator if q in qubits)
            for operator in case.operators
        ]
        sides.append(cpu_gram(states, inner, 1))
    return (sides[0] * sides[1])[None]


def copy_rate() -> float:
    """Bytes per second that the GPU moves, counting reads and writes, when it only copies."""
    cupy = cupy_module()
    size = min(1 << 31, free_bytes() // 4)
    source, target = cupy.zeros(size // 8, np.float64), cupy.zeros(size // 8, np.float64)
    found = math.inf
    for _ in range(6):
        cupy.cuda.Device().synchronize()
        start = time.perf_counter()
        cupy.copyto(target, source)
        cupy.cuda.Device().synchronize()
        found = min(found, time.perf_counter() - start)
    del source, target
    cupy.get_default_memory_pool().free_all_blocks()
    return 2 * (size // 8 * 8) / found


def tile_sizes(clock: Clock) -> str:
    """How long the states of one case take with smaller and larger tiles."""
    cupy, case = cupy_module(), Case("26 q whole", 26)
    steps, device, found = case.steps(0), usable_device(), []
    for bits in (10, 11, 12, 13):
        costs = gpu_costs(device, 16, bits)
        if costs.tile_bits != bits or case.bytes > free_bytes():
            continue

        def states(costs: Any = costs) -> None:
            held = gpu_states(case.width, steps, costs=costs)
            cupy.cuda.Device().synchronize()
            del held

        found.append(f"{bits}: {best_of(states, clock)[0]:.2f} ms")
    return "26 q whole, states, by qubits in a tile: " + ", ".join(found)


COLUMNS = (
    ("rows", "rows", "d"),
    ("blocks", "blocks", "d"),
    ("passes", "passes", "d"),
    ("one_core", "1 core", ".3g"),
    ("all_cores", "cores", ".3g"),
    ("gpu_states", "GPU states", ".3g"),
    ("gpu", "GPU", ".3g"),
    ("peer", "cuSV", ".3g"),
    ("peer_fused", "cuSV fused", ".3g"),
    ("gigabytes_per_s", "GB/s", ".0f"),
    ("block_floor", "pass/block", ".3g"),
    ("error", "error", ".1e"),
    ("gib", "GiB said", ".3g"),
    ("held_gib", "held", ".3g"),
)


def told(row: Row) -> str:
    """A line of the table."""
    cells = []
    for name, head, form in COLUMNS:
        value = getattr(row, name)
        cells.append(f"{'-' if value is None else format(value, form):>{max(8, len(head))}}")
    ratio = f"{row.one_core / row.gpu:.0f} x one core" if row.one_core and row.gpu else ""
    return f"{row.case:<20}{row.dtype[7:]:>4} {' '.join(cells)}  {ratio} {row.note}"


def main() -> None:
    """Check, then time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=220.0, help="time for all of it")
    parser.add_argument("--quick", action="store_true", help="small cases, to try the script")
    parser.add_argument("--out", type=Path, help="write the rows as JSON")
    options = parser.parse_args()
    clock = Clock(options.seconds)
    try:
        device = usable_device()
    except GpuError as error:
        sys.exit(f"nothing can be measured: {error}")
    cores = len(os.sched_getaffinity(0))
    print(
        f"{device}\n{cores} cores; milliseconds, best of several, tensors on the host", flush=True
    )
    wrong = check_all()
    if wrong:
        sys.exit("WRONG, so nothing is timed:\n" + "\n".join(wrong))
    print(f"every kind of operation is right ({clock.left:.0f} s left)", flush=True)
    rate = copy_rate()
    print(f"copy: {rate / 1e12:.2f} TB/s; pass/block: one pass per block at that rate")
    heads = " ".join(f"{head:>{max(8, len(head))}}" for _, head, _ in COLUMNS)
    print(f"{'':24} {heads}", flush=True)
    rows = []
    for case in QUICK if options.quick else CASES:
        if clock.left < 15:
            print(f"{case.name:<20} no time left")
            continue
        try:
            rows.append(measure(case, clock, rate))
        except GpuError as error:
            print(f"{case.name:<20} {error}", flush=True)
            continue
        print(told(rows[-1]), flush=True)
    if not options.quick and clock.left > 10:
        print(tile_sizes(clock))
    if options.out:
        body = {"device": asdict(device), "cores": cores, "rows": [asdict(row) for row in rows]}
        options.out.write_text(json.dumps(body, indent=1))


if __name__ == "__main__":
    main()
