"""Probes of the engine: programs whose passes differ in what takes their time.

The calls travel to a worker like any task. Nothing is timed or fitted here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.dreamer.fragment.cost import state_counts
from qdreamer_lab.dreamer.fragment.shape import program_states
from qdreamer_lab.dreamer.model.coefficients import Counts
from qdreamer_lab.dreamer.model.probe import Probe
from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.engine.program import Step
from qdreamer_lab.workload.fragment.program import FragmentProgram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["probe_program", "state_probes"]

_ALONE: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("smallest", 2, ("dense",)),
    ("short", 3, ("dense", "half", "diagonal", "branch") * 5),
    *((f"{kind} {width}", width, (kind,) * count)
      for width, count in ((5, 40), (9, 60), (13, 60), (15, 60), (18, 48), (20, 24), (21, 20))
      for kind in ("dense", "half", "diagonal", "one")),
    *((f"far {width}", width, ("far",) * count)
      for width, count in ((16, 24), (19, 16), (20, 10), (21, 6), (22, 3))),
    *((f"branch {width}", width, ("dense",) * 3 + ("branch",) * cuts + ("half",) * 3)
      for width, cuts in ((5, 6), (9, 5), (13, 4), (16, 4))),
    ("mixed", 12, ("far", "dense", "one", "diagonal", "branch") * 3),
)  # fmt: skip
"""Name, width and steps of what is run on one core."""

_TOGETHER = (
    ("dense 13", 13, ("dense",) * 30 + ("branch",) * 2),
    ("dense 17", 17, ("dense",) * 40),
    ("half 18", 18, ("half",) * 40),
    ("diagonal 18", 18, ("diagonal",) * 40),
    ("far 19", 19, ("far",) * 16),
    ("far 20", 20, ("far",) * 10),
    ("dense 21", 21, ("dense",) * 20),
    ("far 22", 22, ("far",) * 3),
    ("branch 14", 14, ("half",) * 14 + ("branch",) * 4 + ("dense",) * 6),
)
"""The same on all cores that the worker has."""


def state_probes(cores: int) -> list[Probe]:
    """Programs on one core, and some on all, such that every coefficient matters in some."""
    found = [_probe(name, width, kinds, 1) for name, width, kinds in _ALONE]
    more = _TOGETHER if cores > 1 else ()
    return found + [_probe(name, width, kinds, cores) for name, width, kinds in more]


def _probe(name: str, width: int, kinds: tuple[str, ...], cores: int) -> Probe:
    program = probe_program(width, kinds)
    counts = Counts()
    state_counts(program_states(program), width, 16, cores, counts)
    call = partial(_states, width, program.steps, cores)
    return Probe(f"{name}, {cores} cores", call, counts.array)


def _states(width: int, steps: tuple[Step, ...], cores: int) -> int:
    """States that are not handed back: they would have to travel."""
    return len(simulate(width, steps, "complex128", {}, cores))


def probe_program(width: int, kinds: Sequence[str], still_open: int = 0) -> FragmentProgram:
    """A fragment with these steps.

    Args:
        width: Qubits.
        kinds: "dense", "half", "diagonal", which go through neighbours; "far", dense on the two
            ends in turn with the middle; "one", on one qubit; "branch", a cut with two choices.
        still_open: Qubits that stay open.
    """
    rng = np.random.default_rng(width)
    steps, cuts = [], 0
    for k, kind in enumerate(kinds):
        one = k % width
        pair = (one, (one + 1) % width)
        if kind == "branch":
            unitary = _unitary(rng, 2)
            steps.append(Step((one,), np.stack([unitary, unitary @ np.diag([1, -1])]), cuts))
            cuts += 1
        elif kind == "one":
            steps.append(Step((one,), _unitary(rng, 2)[None]))
        elif kind == "diagonal":
            phases = np.exp(1j * rng.uniform(0, 6, 4))
            steps.append(Step(pair, np.diag(phases)[None]))
        elif kind == "half":
            matrix = np.zeros((4, 4), np.complex128)
            matrix[:2, :2], matrix[2:, 2:] = _unitary(rng, 2), _unitary(rng, 2)
            steps.append(Step(pair, matrix[None]))
        else:
            far = (k // 2 % 3, width - 1 - k % 3) if k % 2 else (width // 2, width // 2 + 1)
            steps.append(Step(far if kind == "far" and width > 6 else pair, _unitary(rng, 4)[None]))
    ends = tuple(range(cuts, cuts + still_open))
    return FragmentProgram(0, width, tuple(steps), ends, ())


def _unitary(rng: np.random.Generator, size: int) -> NDArray[np.complex128]:
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))).Q
