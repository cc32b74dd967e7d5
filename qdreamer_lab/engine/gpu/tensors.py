"""Fragments' tensors on a GPU: states, Gram matrices, and only those travel back.

Fragments whose programs differ in coefficients alone share their launches.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.gpu.device import free_bytes
from qdreamer_lab.engine.gpu.shapes import SCRATCH_BYTES, needed_bytes
from qdreamer_lab.engine.gpu.states import run_programs
from qdreamer_lab.engine.gpu.sums import on_host, start_gram
from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.errors import GpuError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.gpu.strings import Letters
    from qdreamer_lab.engine.passes.gates import Gate
    from qdreamer_lab.engine.passes.plan import PassCosts
    from qdreamer_lab.engine.program import Step

__all__ = ["GpuCall", "gpu_tensors"]


@dataclass(frozen=True, eq=False, slots=True)
class GpuCall:
    """A fragment to simulate.

    Attributes:
        width: Local qubits.
        steps: In order of application.
        operators: On local qubits that are not open.
        open_cuts: Cut of each open qubit, the most significant first; these are the last qubits.
        bra: Choices that are fixed on the bra's side.
        ket: The same cuts with the choices on the ket's side.
    """

    width: int
    steps: tuple[Step, ...]
    operators: tuple[Letters, ...]
    open_cuts: tuple[int, ...] = ()
    bra: Mapping[int, int] = field(default_factory=dict)
    ket: Mapping[int, int] = field(default_factory=dict)

    def bytes_for(self, itemsize: int) -> int:
        """Memory of the GPU that it takes on its own."""
        rows = math.prod(len(step.matrices) for step in self.steps if step.cut not in self.bra)
        chosen = sum(cut in self.bra for cut in self.open_cuts)
        closed = rows << len(self.open_cuts) - chosen
        both = 1 if self.bra == self.ket else 2
        kept = closed * both << self.width - len(self.open_cuts)
        return needed_bytes(
            self.width,
            rows,
            rows * (both - 1),
            len(self.operators) * closed**2,
            itemsize,
            kept if chosen else None,
        )


def gpu_tensors(
    calls: Sequence[GpuCall],
    dtype: str = "complex128",
    limit_bytes: int | None = None,
    costs: PassCosts | None = None,
) -> list[NDArray[np.complex128]]:
    """Simulate fragments and take their tensors for each operator.

    Args:
        calls: The fragments.
        dtype: Of the states.
        limit_bytes: Most memory to use; what the GPU has free if None.
        costs: What the planner of passes weighs; for this GPU if None.

    Returns:
        Of each, (operators, a, b) complex128 ⟨ψ_i|O|φ_j⟩: a and b count the choices at the cuts
        that are not fixed, in the order of the steps, and then those at open cuts.

    Raises:
        GpuError: There is no GPU that can be used, a fragment does not fit, or the GPU failed.
    """
    itemsize = np.dtype(dtype).itemsize
    limit = free_bytes() if limit_bytes is None else limit_bytes
    alike: dict[Any, list[_Prepared]] = defaultdict(list)
    for number, call in enumerate(calls):
        needed = call.bytes_for(itemsize)
        if needed > limit:
            raise GpuError(_too_big(call, needed, limit, itemsize))
        prepared = _Prepared.of(number, call, needed - SCRATCH_BYTES)
        alike[prepared.key].append(prepared)
    found: dict[int, NDArray[np.complex128]] = {}
    for members in alike.values():
        most = max(1, (limit - SCRATCH_BYTES) // max(1, members[0].needed))
        for first in range(0, len(members), most):
            found.update(_together(members[first : first + most], dtype, costs))
    return [found[number] for number in range(len(calls))]


@dataclass(frozen=True, eq=False, slots=True)
class _Prepared:
    """A call with its gates, of the bra and, if they differ, of the ket."""

    number: int
    call: GpuCall
    needed: int
    sides: tuple[tuple[tuple[Gate, ...], NDArray[np.complex128]], ...]

    @classmethod
    def of(cls, number: int, call: GpuCall, needed: int) -> _Prepared:
        fixed = [call.bra] if call.bra == call.ket else [call.bra, call.ket]
        sides = tuple(read_gates(call.steps, choice) for choice in fixed)
        return cls(number, call, needed, sides)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for calls whose launches can be shared, whose memory is the same, too."""
        gates = tuple(gates for gates, _ in self.sides)
        return (self.call.width, gates, self.needed)


def _together(
    members: Sequence[_Prepared], dtype: str, costs: PassCosts | None
) -> Iterable[tuple[int, NDArray[np.complex128]]]:
    """Calls of the same plan."""
    width, sides = members[0].call.width, range(len(members[0].sides))
    states = []
    for side in sides:
        coefficients = [member.sides[side][1] for member in members]
        states.append(run_programs(width, members[0].sides[side][0], coefficients, dtype, costs))
    pending = []
    for place, member in enumerate(members):
        call = member.call
        bra = _closed_rows(states[0][place], call.open_cuts, call.bra)
        ket = bra
        if len(sides) > 1:
            ket = _closed_rows(states[1][place], call.open_cuts, call.ket)
        pending.append(start_gram(bra, ket, call.operators))
    numbers = [member.number for member in members]
    return zip(numbers, on_host(pending), strict=True)


def _closed_rows(states: Any, open_cuts: Sequence[int], fixed: Mapping[int, int]) -> Any:
    """(rows, 2**closed) of (rows, 2**width) states, open qubits becoming the last part of rows.

    Args:
        states: On the device; copied only where a choice at an open cut is fixed.
        open_cuts: Cut of each open qubit, the most significant first.
        fixed: The choice at some cuts.
    """
    chosen = tuple(fixed.get(cut, slice(None)) for cut in open_cuts)
    apart = states.reshape(len(states), *(2,) * len(open_cuts), -1)[(slice(None), *chosen)]
    rows = apart.reshape(-1, apart.shape[-1])
    return rows if rows.flags.c_contiguous else rows.copy()  # kernels take no strides


def _too_big(call: GpuCall, needed: int, limit: int, itemsize: int) -> str:
    """What does not fit, and what would."""
    fits = max(0, (limit - SCRATCH_BYTES) // itemsize).bit_length() - 1
    return (
        f"a fragment of {call.width} qubits needs {needed / 2**30:.4g} GiB on the GPU, and "
        f"{limit / 2**30:.4g} GiB may be used: one state of {max(fits, 0)} qubits would fit; plan "
        "with a smaller max_qubits, or fix choices at cuts"
    )
