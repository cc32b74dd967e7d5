"""Simulators taking turns: their processes, who goes on, and whether they agree.

Every simulator has a process for each number of cores, bound to those cores and told to use as many
threads. They take turns on a circuit, all but one waiting, so that a busy machine is busy for all.
A setting that was far behind its own simulator's best one is left out of further rounds, and of the
next wider circuit of the family.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
AGREE = 1e-10
"""Most by which values of two simulators may differ."""

NEXT_ROUND = 1.3
"""A setting goes on while it takes at most so many times as long as the tool's best."""

NEXT_WIDTH = ((20, 1.6), (18, 2.5))
"""The same for a wider circuit, from so many qubits on: what narrow circuits take says little."""

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "QULACS_NUM_THREADS",
    "PILOT_CORES_PER_WORKER",
)
"""Variables that tell simulators, and libraries below them, how many threads there are to be."""


@dataclass
class Timing:
    """What a simulator with one setting took.

    Attributes:
        seconds: Every run, by the clock.
        processor_seconds: Every run, by what its process used of its cores.
        prepare_seconds: Fusing beforehand, at its quickest.
        peak_bytes: Most memory at once, beyond what its process held before.
        predicted_bytes: The same by our own account, where it is ours.
        values: What it found.
    """

    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    prepare_seconds: float = 0.0
    peak_bytes: int = 0
    predicted_bytes: int | None = None
    values: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The quickest run."""
        return min(self.seconds)

    def add(self, answer: dict[str, Any]) -> None:
        """Take a turn's answer in."""
        fused = answer["prepare_seconds"]
        self.prepare_seconds = min(self.prepare_seconds, fused) if self.seconds else fused
        self.seconds += answer["seconds"]
        self.processor_seconds += answer["processor_seconds"]
        self.peak_bytes = max(self.peak_bytes, answer["peak_bytes"])
        self.predicted_bytes = answer["predicted_bytes"]
        self.values = answer["values"]


class Simulator:
    """A simulator's process."""

    def __init__(self, tool: str, python: str, cores: tuple[int, ...]) -> None:
        count = str(len(cores))
        command = [python, "-m", "benchmarks.engine.worker", tool, ",".join(map(str, cores))]
        self.tool = tool
        threads = dict.fromkeys(THREADS, count)
        try:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **threads, "OMP_PROC_BIND": "false"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise SystemExit(f"{tool} cannot start: {error}") from None
        hello = self._answer()
        self.version: str = hello["version"]
        self.settings: list[str] = hello["settings"]

    def ask(self, **request: Any) -> dict[str, Any]:
        """Have it take a turn.

        Raises:
            SystemExit: If it fails.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise SystemExit(f"{self.tool} failed:\n{answer['error']}")
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.tool}: its process ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End its process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def race(
    entrants: dict[str, Simulator], request: dict[str, Any], rounds: int, least_seconds: float
) -> dict[str, Timing]:
    """Have simulators take turns, every other round backwards.

    Args:
        entrants: By "tool:setting".
        request: What all are asked; each gets its setting besides.
        rounds: Turns of each that is not left out after its first.
        least_seconds: How long a turn is to last at least.

    Raises:
        SystemExit: If a simulator fails, or values differ.
    """
    found = {name: Timing() for name in entrants}
    running = list(entrants)
    for number in range(rounds):
        for name in running[:: -1 if number % 2 else 1]:
            setting = name.partition(":")[2]
            answer = entrants[name].ask(**request, setting=setting, least_seconds=least_seconds)
            found[name].add(answer)
        agree({name: found[name].values for name in running}, str(request.get("name")))
        ahead = leaders(found, NEXT_ROUND)
        running = [name for name in running if name in ahead]
    return found


def leaders(found: dict[str, Timing], factor: float) -> set[str]:
    """Settings close to the best of their tool, with fusing or without; all of ours."""
    ahead = set()
    for name, timing in found.items():
        tool = name.partition(":")[0]
        same = [each for other, each in found.items() if other.partition(":")[0] == tool]
        plain = min(each.best for each in same)
        fused = min(each.best + each.prepare_seconds for each in same)
        close = timing.best <= factor * plain
        if tool == "ours" or close or timing.best + timing.prepare_seconds <= factor * fused:
            ahead.add(name)
    return ahead


def behind(found: dict[str, Timing], num_qubits: int) -> set[str]:
    """Settings that need not run on wider circuits of the family."""
    factor = next((by for width, by in NEXT_WIDTH if num_qubits >= width), math.inf)
    return set(found) - leaders(found, factor)


def agree(values: dict[str, Iterable[float]], what: str, within: float = AGREE) -> None:
    """Abort unless all have found the same.

    Raises:
        SystemExit: With the values, if they differ or are not numbers.
    """
    for column in zip(*values.values(), strict=True):
        spread = max(column) - min(column) if all(map(math.isfinite, column)) else math.inf
        if spread > within:
            lines = [f"  {name}: {list(found)}" for name, found in values.items()]
            raise SystemExit("\n".join([f"{what}: values differ by more than {within}", *lines]))
