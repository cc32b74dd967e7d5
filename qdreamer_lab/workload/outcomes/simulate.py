"""Simulating a fragment for its outcomes: what a worker does for an exact distribution.

It takes a program and gives an array; it must not know plans, circuits or sessions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.fragment.gpu import gpu_rows
from qdreamer_lab.workload.fragment.simulate import final_states
from qdreamer_lab.workload.outcomes.piece import compressed, joint, piece_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["OutcomeAmplitudes", "check_task", "kept_bytes", "outcome_amplitudes"]


@dataclass(frozen=True, eq=False, slots=True)
class OutcomeAmplitudes:
    """What a fragment hands back.

    Attributes:
        amplitudes: (unmeasured, Π choices, 2**measured) complex128, as a `Piece` has them.
        seconds: Wall time on the worker.
    """

    amplitudes: NDArray[np.complex128]
    seconds: float


def outcome_amplitudes(
    program: FragmentProgram, measured: tuple[int, ...], device: str = "CPU"
) -> OutcomeAmplitudes:
    """Simulate a fragment, and sort its amplitudes by outcomes.

    Args:
        program: The fragment.
        measured: Local qubits that are read, least significant first; none of them is open.
        device: "CPU", or "GPU" for states that are made there.

    Raises:
        GpuError: `device` is "GPU", and there is none that can be used.
    """
    start = time.perf_counter()
    states = gpu_rows(program) if device == "GPU" else final_states(program)
    closed = program.width - len(program.open_cuts)
    rows = np.asarray(states, np.complex128).reshape(1, joint(program.axes), 1 << closed)
    found = compressed(rows, closed, measured)
    return OutcomeAmplitudes(found, time.perf_counter() - start)


def kept_bytes(program: FragmentProgram, num_measured: int) -> int:
    """Memory of what a fragment hands back."""
    unmeasured = program.width - len(program.open_cuts) - num_measured
    return piece_bytes(joint(program.axes), num_measured, unmeasured)


def check_task(program: FragmentProgram, num_measured: int, limit_bytes: int) -> None:
    """Refuse a fragment whose outcomes do not fit into a task.

    Raises:
        MemoryLimitError: With the sizes, and what would fit.
    """
    states = 16 * program.variants << program.width
    needed = 2 * states + kept_bytes(program, num_measured)
    if needed <= limit_bytes:
        return
    fits = (limit_bytes * (1 << program.width) // needed).bit_length() - 1
    narrower = f"max_qubits={fits} or less, or with " if 0 < fits < program.width else ""
    raise MemoryLimitError(
        f"fragment {program.id} needs {readable(needed)} for its outcomes ({program.variants} "
        f"states of {program.width} qubits), but {readable(limit_bytes)} may be used: plan with "
        f"{narrower}fewer cuts, or raise memory_limit_bytes"
    )
