"""How much memory the states of a task may take where it is going to run.

A worker's own memory is known from its pilot. That of its GPU is asked for, once for each session
and place, so that what does not fit is cut or refused before anything runs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from qdreamer_lab.workload.execution.chunk import Chunk, FragmentRow
from qdreamer_lab.workload.fragment.gpu import gpu_free_bytes

if TYPE_CHECKING:
    from qdreamer_lab.workload.execution.execution import Execution

__all__ = ["GpuMemory", "ask_gpu", "likely_gpu_bytes", "task_memory_bytes"]

_told: WeakKeyDictionary[Any, dict[str | None, int]] = WeakKeyDictionary()
"""Free memory of GPUs: of a session, by what `on=` was. Workers look again before they take it."""

_LIKELY_BYTES = 72 << 30
"""Free memory of a data-centre GPU, about, as long as none was asked."""


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """What a worker says of its GPU.

    Attributes:
        free_bytes: Memory that may be taken.
        seconds: Wall time that it took to find out.
    """

    free_bytes: int
    seconds: float


def ask_gpu() -> GpuMemory:
    """Look at the GPU of this process.

    Raises:
        GpuError: There is none that can be used; the message says why.
    """
    start = time.perf_counter()
    return GpuMemory(gpu_free_bytes(), time.perf_counter() - start)


def task_memory_bytes(execution: Execution) -> int:
    """Most memory that the states of a task may take.

    Raises:
        GpuError: The work is for a GPU, and there is none that can be used.
        CancelledError: If `execution.stop` was set meanwhile.
        WorkersLostError: If no worker is left that could answer.
    """
    if execution.backend is not None or execution.device != "GPU":
        return execution.task_limit_bytes()
    session, given = execution.session, execution.memory_limit_bytes
    if session is None:
        return gpu_free_bytes(given)
    known = _told.setdefault(session, {})
    if execution.on not in known:
        asked = Chunk(
            binding=0,
            fragment=0,
            width=0,
            variants=0,
            work=0.0,
            function=ask_gpu,
            args=(),
            suffix="-memory",
        )

        def keep(_: Chunk, told: GpuMemory, __: FragmentRow) -> None:
            known[execution.on] = told.free_bytes

        execution.run([asked], keep)
    free = known[execution.on]
    return free if given is None else min(free, given)


def likely_gpu_bytes(execution: Execution) -> int:
    """What `task_memory_bytes` says of a GPU, as far as that is known without waiting for one."""
    session, given = execution.session, execution.memory_limit_bytes
    known = {} if session is None else _told.get(session, {})
    free = known.get(execution.on, _LIKELY_BYTES)
    return free if given is None else min(free, given)
