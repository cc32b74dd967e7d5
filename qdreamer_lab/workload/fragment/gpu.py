"""Fragments on the GPU of a worker, for work that was asked for `on="gpu"`.

What the engine does there is not known here, only what it is called for. Tensors and outcomes come
back; states do only where shots of fragments are drawn from them. Without a GPU that can be used
there is one error, and no CPU takes over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.engine.draws import drawn
from qdreamer_lab.engine.gpu.device import cupy_module, free_bytes, gpu_errors, usable_device
from qdreamer_lab.engine.gpu.states import gpu_states
from qdreamer_lab.engine.gpu.tensors import GpuCall, gpu_tensors
from qdreamer_lab.workload.fragment.footprint import split_cuts
from qdreamer_lab.workload.fragment.parts import FragmentCall, parts_of, place_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.footprint import Choice
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["gpu_bytes", "gpu_fragments", "gpu_free_bytes", "gpu_outcomes", "gpu_rows"]


def gpu_fragments(
    calls: Sequence[FragmentCall], memory_limit_bytes: int | None, dtype: str
) -> tuple[NDArray[np.complex128], ...]:
    """Tensors of fragments, (operators, *dims, *dims) each, as `run_fragment` gives them.

    Args:
        calls: The fragments; those that are alike share launches.
        memory_limit_bytes: Most memory of the GPU; what is free if None, and never more than that.
        dtype: Of the states.

    Raises:
        GpuError: There is no GPU that can be used, or it failed.
        MemoryLimitError: One state of a fragment, or its result, does not fit.
    """
    limit = gpu_free_bytes(memory_limit_bytes)
    pairs: list[tuple[int, Choice, Choice]] = []
    wanted: list[GpuCall] = []
    tensors = []
    for number, call in enumerate(calls):
        program, itemsize = call.program, np.dtype(dtype).itemsize
        how = (limit, itemsize, call.bra, call.ket)
        parts = parts_of(program, split_cuts(program, call.operators, *how, gpu_bytes))
        for left, right in _pairs(parts, mirrored=call.bra == call.ket):
            pairs.append((number, left, right))
            bra, ket = {**call.bra, **left}, {**call.ket, **right}
            wanted.append(_gpu_call(program, call.operators, bra, ket))
        shape = (len(call.operators), *program.dims(call.bra), *program.dims(call.ket))
        tensors.append(np.empty(shape, np.complex128))
    for (number, left, right), block in zip(pairs, gpu_tensors(wanted, dtype, limit), strict=True):
        call = calls[number]
        mirror = call.bra == call.ket and left != right
        place_block(call.program, tensors[number], block, left, right, mirror=mirror)
    return tuple(tensors)


def gpu_outcomes(
    program: FragmentProgram, uniforms: NDArray[np.float64], dtype: str = "complex128"
) -> NDArray[np.int64]:
    """Outcomes (shots,) of measuring all qubits of a fragment without cuts.

    Args:
        program: The fragment.
        uniforms: (shots,) numbers of [0, 1), one for each outcome.
        dtype: Of the state.

    Raises:
        GpuError: There is no GPU that can be used, its memory is full, or it failed.
    """
    states = gpu_states(program.width, program.steps, dtype)
    cupy = cupy_module()
    with gpu_errors(f"{len(uniforms)} shots"):
        found = drawn(states[0], cupy.asarray(uniforms), cupy)
        on_host: NDArray[np.int64] = cupy.asnumpy(found)
    return on_host


def gpu_rows(program: FragmentProgram, dtype: str = "complex128") -> NDArray[np.complex128]:
    """The states (choices, 2**width) of a fragment in the host's memory.

    Raises:
        GpuError: There is no GPU that can be used, its memory is full, or it failed.
    """
    states = gpu_states(program.width, program.steps, dtype)
    with gpu_errors("a copy of the states"):
        on_host: NDArray[np.complex128] = cupy_module().asnumpy(states)
    return on_host


def gpu_free_bytes(memory_limit_bytes: int | None = None) -> int:
    """Most memory of the GPU that may be taken: what is free, or the limit if that is less.

    Raises:
        GpuError: There is no GPU that can be used.
    """
    usable_device()
    free = free_bytes()
    return free if memory_limit_bytes is None else min(free, memory_limit_bytes)


def gpu_bytes(
    program: FragmentProgram,
    operators: tuple[Factors, ...],
    itemsize: int,
    bra: Choice,
    ket: Choice,
    split: tuple[int, ...] = (),
) -> int:
    """Memory of the GPU that `gpu_fragments` takes with these cuts split, for one pair of parts."""
    left, right = dict.fromkeys(split, 0), dict.fromkeys(split, 1)
    return _gpu_call(program, operators, {**bra, **left}, {**ket, **right}).bytes_for(itemsize)


def _gpu_call(
    program: FragmentProgram, operators: tuple[Factors, ...], bra: Choice, ket: Choice
) -> GpuCall:
    return GpuCall(program.width, program.steps, operators, program.open_cuts, bra, ket)


def _pairs(parts: list[dict[int, int]], *, mirrored: bool) -> Iterator[tuple[Choice, Choice]]:
    """All pairs of parts; if the others are their adjoints, those in order."""
    for number, left in enumerate(parts):
        for right in parts[number if mirrored else 0 :]:
            yield left, right
