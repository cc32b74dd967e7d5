"""State vectors of programs on a GPU, pass by pass. They stay there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.gpu.costs import gpu_costs
from qdreamer_lab.engine.gpu.device import cupy_module, gpu_errors, usable_device
from qdreamer_lab.engine.gpu.launch import THREADS, launch
from qdreamer_lab.engine.gpu.packed import pack_programs
from qdreamer_lab.engine.passes.gates import read_gates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.gpu.packed import PackedPass, PackedProgram
    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import PassCosts
    from qdreamer_lab.engine.program import Step

__all__ = ["apply", "gpu_states", "run_programs"]

_MOST_PROGRAMS = 65_535
"""Blocks in the second direction of a grid."""


def gpu_states(
    width: int,
    steps: Sequence[Step],
    dtype: str = "complex128",
    fixed: Mapping[int, int] | None = None,
    costs: PassCosts | None = None,
) -> Any:
    """Apply steps to |0…0⟩ on the GPU: `engine.cpu.run.simulate`, there.

    Args:
        width: Qubits, at least one.
        steps: In order of application.
        dtype: "complex128" or "complex64".
        fixed: The choice at some cuts.
        costs: What the planner of passes weighs; for this GPU if None.

    Returns:
        (rows, 2**width) on the device: one row per choice at every cut that is not fixed, the last
        cut in `steps` changing fastest.

    Raises:
        GpuError: There is no GPU that can be used, its memory is full, or it failed.
    """
    gates, coefficients = read_gates(steps, fixed or {})
    return run_programs(width, gates, [coefficients], dtype, costs)[0]


def apply(state: Any, steps: Sequence[Step], costs: PassCosts | None = None) -> None:
    """Apply steps to a state on the GPU, in place: `engine.cpu.run.apply`, there.

    Args:
        state: (2**width,) on the device, C-contiguous.
        steps: In order of application, without choices.
        costs: What the planner of passes weighs; for this GPU if None.

    Raises:
        GpuError: There is no GPU that can be used, or it failed.
    """
    if not steps:
        return
    gates, coefficients = read_gates(steps, {})
    width = len(state).bit_length() - 1
    costs = costs or gpu_costs(usable_device(), state.itemsize)
    packed = pack_programs(width, gates, [coefficients], costs, begun=True)
    with gpu_errors(f"gates on a state of {width} qubits"):
        _run_passes(packed, state.reshape(1, 1, -1), width)


def run_programs(
    width: int,
    gates: tuple[Gate, ...],
    coefficients: Sequence[NDArray[np.complex128]],
    dtype: str,
    costs: PassCosts | None = None,
) -> Any:
    """States of several programs that differ in coefficients alone, with shared launches.

    Args:
        width: Qubits of each.
        gates: Of all of them.
        coefficients: Of each, those of its gates.
        dtype: Of the states.
        costs: What the planner of passes weighs; for this GPU if None.

    Returns:
        (programs, rows, 2**width) on the device.

    Raises:
        GpuError: As `gpu_states`.
    """
    cupy = cupy_module()
    itemsize = np.dtype(dtype).itemsize
    rows = math.prod(gate.rank for gate in gates)
    programs = len(coefficients)
    packed = pack_programs(
        width, gates, coefficients, costs or gpu_costs(usable_device(), itemsize)
    )
    needed = programs * rows * itemsize << width
    with gpu_errors(f"{programs * rows} states of {width} qubits", needed):
        states = cupy.empty((programs, rows, 1 << width), dtype)
        _run_passes(packed, states, width)
    return states


def _run_passes(packed: PackedProgram, states: Any, width: int) -> None:
    """All passes over (programs, rows, 2**width) states."""
    cupy = cupy_module()
    integers = cupy.asarray(packed.integers)
    numbers = cupy.asarray(packed.coefficients.astype(states.dtype))
    for first in range(0, len(states), _MOST_PROGRAMS):
        some = slice(first, first + _MOST_PROGRAMS)
        for step in packed.passes:
            _run_pass(step, states[some], integers, numbers[some], width)


def _run_pass(step: PackedPass, states: Any, integers: Any, numbers: Any, width: int) -> None:
    """All choices but the first go elsewhere; the first takes the place of what was there."""
    threads = min(THREADS, max(32, step.tile_size // 4))
    plan = integers[step.start : step.end]
    sizes = (np.int64(states.shape[1]), np.int64(numbers.shape[1]), np.int32(width))
    for first, count in ((1, step.choices - 1), (0, 1)):
        if count:
            launch(
                "run_pass",
                states.dtype,
                (step.items * count, len(states)),
                threads,
                (states, plan, numbers, *sizes, np.int32(first), np.int32(count)),
                step.tile_size * states.itemsize,
            )
