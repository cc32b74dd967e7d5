"""A fragment's states on a GPU: the worker's engine for work that was asked for `on="gpu"`.

What the GPU's engine does with arrays is not known here, only what it is called for. States stay
on the GPU; only Gram matrices and outcomes come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.draws import drawn
from qdreamer_lab.engine.gpu import cuda, plain
from qdreamer_lab.workload.circuit.terms import LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.circuit.terms import Factors
    from qdreamer_lab.workload.fragment.footprint import Choice
    from qdreamer_lab.workload.fragment.program import FragmentProgram

__all__ = ["Gpu"]

_BATCHES = 4
"""Batches of states that one step holds at most: what it reads, a copy in another order, the
product, and a copy of that."""


class Gpu:
    """The GPU of this process, as a `Device`.

    Raises:
        GpuError: It has none that can be used; the message says why.
    """

    def __init__(self) -> None:
        self._xp: Any = cuda.array_module()

    def final_states(self, program: FragmentProgram, dtype: str, fixed: Choice) -> Any:
        """(rows, 2**closed) on the GPU, open qubits being the last part of the row index."""
        states = plain.final_states(self._xp, program.width, program.steps, dtype, fixed)
        open_shape = (2,) * len(program.open_cuts)
        chosen = tuple(fixed.get(cut, slice(None)) for cut in program.open_cuts)
        apart = states.reshape(len(states), *open_shape, -1)[(slice(None), *chosen)]
        return apart.reshape(-1, apart.shape[-1])

    def gram_matrices(
        self, bra: Any, ket: Any, operators: Sequence[Factors]
    ) -> NDArray[np.complex128]:
        """(operators, a, b) in the host's memory."""
        matrices = [[(qubit, LETTERS[letter]) for qubit, letter in each] for each in operators]
        return plain.gram_matrices(self._xp, bra, ket, matrices)

    def draws(self, state: Any, uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """(shots,) outcomes, in the host's memory."""
        return self.on_host(drawn(state, self._xp.asarray(uniforms), self._xp))

    def on_host(self, array: Any) -> NDArray[Any]:
        """A copy in the host's memory."""
        found: NDArray[Any] = array if self._xp is np else self._xp.asnumpy(array)
        return found

    def available_bytes(self) -> int:
        """Memory that batches of states may take, each counted once."""
        return cuda.free_bytes() // _BATCHES
