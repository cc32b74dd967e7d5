"""State vectors of a program on the cores of this machine, pass by pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.cpu.cache import cpu_costs
from qdreamer_lab.engine.cpu.pool import spread
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.shares import part_ends, shares_of
from qdreamer_lab.engine.passes.tile_arrays import lay_out
from qdreamer_lab.kernels.simulate.tile_pass import run_tiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.passes.plan import PassCosts
    from qdreamer_lab.engine.passes.tile_arrays import LaidPass
    from qdreamer_lab.engine.program import Step

__all__ = ["apply", "simulate"]


def simulate(
    width: int,
    steps: Sequence[Step],
    dtype: str = "complex128",
    fixed: Mapping[int, int] | None = None,
    cores: int = 1,
    costs: PassCosts | None = None,
) -> NDArray[np.complexfloating]:
    """Apply steps to |0…0⟩.

    Args:
        width: Qubits, at least one.
        steps: In order of application.
        dtype: "complex128" or "complex64".
        fixed: The choice at some cuts.
        cores: Threads at once.
        costs: What the planner of passes weighs; what suits this machine if None.

    Returns:
        (rows, 2**width): one row per choice at every cut that is not fixed, the last cut in `steps`
        changing fastest.
    """
    gates, coefficients = read_gates(steps, fixed or {})
    states = np.empty((math.prod(gate.rank for gate in gates), 1 << width), dtype)
    _run(states, lay_out(width, gates, costs or cpu_costs(states.itemsize)), coefficients, cores)
    return states


def apply(
    state: NDArray[np.complexfloating],
    steps: Sequence[Step],
    cores: int = 1,
    costs: PassCosts | None = None,
) -> None:
    """Apply steps to a state, in place.

    Args:
        state: (2**width,), C-contiguous.
        steps: In order of application, without choices.
        cores: Threads at once.
        costs: What the planner of passes weighs; what suits this machine if None.
    """
    if not steps:
        return
    gates, coefficients = read_gates(steps, {})
    width = len(state).bit_length() - 1
    passes = lay_out(width, gates, costs or cpu_costs(state.itemsize), begun=True)
    _run(state[None], passes, coefficients, cores)


def _run(
    states: NDArray[np.complexfloating],
    passes: Sequence[LaidPass],
    coefficients: NDArray[np.complex128],
    cores: int,
) -> None:
    """Run passes on the first row, which becomes as many rows as there are."""
    parts = states.view(states.real.dtype)
    rows = np.zeros(1, np.int64)
    for each in passes:
        tile, jumps = each.with_coefficients(coefficients, parts.dtype), each.jumps
        tiles = len(rows) << len(tile.outer)
        written = len(rows) * len(jumps) << each.step.touched.bit_count()
        shares = shares_of(tiles, written * (1 + len(tile.kinds)), cores)
        ends = part_ends(tiles, shares)
        spread(
            run_tiles,
            [(parts, rows, jumps, tile, *ends[k : k + 2]) for k in range(shares)],
            cores,
        )
        rows = (rows[:, None] + jumps).ravel()
