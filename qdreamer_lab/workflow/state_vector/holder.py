"""Where a rank keeps its part of the state: in memory, or on a GPU.

Steps are run by the engine; messages are made of what is fetched and put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.program import Step

__all__ = ["GpuHolder", "Holder", "holder"]


class Holder:
    """A part of a state in memory.

    Args:
        local: It has 2**local amplitudes.
        dtype: Of the amplitudes.
        cores: Threads of this rank.
        rank: Which; |0…0⟩ has its one amplitude in rank 0.

    Attributes:
        array: (2**local,) The amplitudes.
    """

    def __init__(self, local: int, dtype: str, cores: int, *, rank: int) -> None:
        self.array: Any = np.zeros(1 << local, dtype)
        self._cores = cores
        if rank == 0:
            self.array[0] = 1

    def apply(self, steps: Sequence[Step]) -> None:
        """Apply steps, in place."""
        from qdreamer_lab.engine.cpu.run import apply

        apply(self.array, steps, self._cores)

    def fetch(self, view: Any) -> NDArray[np.complexfloating]:
        """What is in a view of the array, in memory, C-contiguous."""
        return np.ascontiguousarray(view)

    def put(self, view: Any, values: NDArray[np.complexfloating]) -> None:
        """Write into a view of the array."""
        view[...] = values


class GpuHolder(Holder):
    """A part of a state on a GPU; messages go through memory.

    Raises:
        GpuError: There is no GPU that can be used, or its memory is full.
    """

    def __init__(self, local: int, dtype: str, cores: int, *, rank: int) -> None:
        from qdreamer_lab.engine.gpu.device import cupy_module, gpu_errors, usable_device

        usable_device()
        self._cupy = cupy_module()
        runtime = self._cupy.cuda.runtime
        if (gpus := int(runtime.getDeviceCount())) > 1:
            runtime.setDevice(rank % gpus)  # ranks of one host, which is where all of them are
        self._cores = cores
        with gpu_errors(f"a state of {local} qubits", np.dtype(dtype).itemsize << local):
            self.array = self._cupy.empty(1 << local, dtype)
            self.array[...] = 0
        if rank == 0:
            self.array[0] = 1

    def apply(self, steps: Sequence[Step]) -> None:
        """Apply steps, in place."""
        from qdreamer_lab.engine.gpu.states import apply

        apply(self.array, steps)

    def fetch(self, view: Any) -> NDArray[np.complexfloating]:
        """What is in a view of the array, copied into memory."""
        return np.ascontiguousarray(self._cupy.asnumpy(view))

    def put(self, view: Any, values: NDArray[np.complexfloating]) -> None:
        """Write into a view of the array."""
        view[...] = self._cupy.asarray(values)


def holder(device: str, local: int, dtype: str, cores: int, *, rank: int) -> Holder:
    """A place for a rank's part of |0…0⟩.

    Args:
        device: "CPU" or "GPU".
        local: It has 2**local amplitudes.
        dtype: Of the amplitudes.
        cores: Threads of this rank.
        rank: Which.
    """
    return (GpuHolder if device == "GPU" else Holder)(local, dtype, cores, rank=rank)
