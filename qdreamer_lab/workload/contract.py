"""Reconstruction: the contraction of all fragment tensors over the cuts they share.

Every cut is two indices, one of the bra and one of the ket, and each appears in exactly two
fragments; the glue between them is the identity. The order of contraction is opt_einsum's. This
module sees tensors and index numbers only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import opt_einsum

from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.memory import available_bytes, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.workload.fragment import FragmentProgram

__all__ = ["Reconstruction"]


class Reconstruction:
    """A contraction planned once, to be run for many terms.

    Args:
        programs: the fragments, in the order in which their tensors will be given.
        memory_limit_bytes: most memory for an intermediate tensor; what is free if None.

    Raises:
        MemoryLimitError: if even the best order found needs more.
    """

    def __init__(
        self, programs: Sequence[FragmentProgram], memory_limit_bytes: int | None = None
    ) -> None:
        self._expression: Any = None
        if not programs:
            return
        subscripts, shapes = [], []
        for program in programs:
            cuts = [cut for cut, _ in program.axes]
            bra = "".join(opt_einsum.get_symbol(2 * cut) for cut in cuts)
            ket = "".join(opt_einsum.get_symbol(2 * cut + 1) for cut in cuts)
            dims = tuple(size for _, size in program.axes)
            subscripts.append(bra + ket)
            shapes.append(dims + dims)
        equation = ",".join(subscripts) + "->"
        path, info = opt_einsum.contract_path(equation, *shapes, shapes=True)
        needed = 16 * int(info.largest_intermediate)
        limit = available_bytes() if memory_limit_bytes is None else memory_limit_bytes
        if needed > limit:
            raise MemoryLimitError(
                f"putting {len(programs)} fragments together needs a tensor of "
                f"{readable(needed)}, but {readable(limit)} may be used: plan with fewer cuts "
                "(a larger max_qubits), or raise memory_limit_bytes"
            )
        self._expression = opt_einsum.contract_expression(equation, *shapes, optimize=path)

    def value(self, tensors: Sequence[NDArray[np.complex128]]) -> float:
        """Expectation value of one product of local operators, given each fragment's tensor."""
        if self._expression is None:
            return 1.0
        return float(np.real(self._expression(*tensors)))
