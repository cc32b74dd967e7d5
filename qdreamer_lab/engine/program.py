"""What the engine runs: steps on the qubits of a state vector, some of them with choices.

Descriptions only: nothing runs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Step"]


class Step(NamedTuple):
    """One operation on local qubits (least significant first).

    Attributes:
        qubits: One or two local qubits.
        matrices: (r, d, d); r choices, of which all are followed, one state each. On two qubits
            there is no choice, r is 1.
        cut: The shared index that counts the choices, or None when there is only one.
    """

    qubits: tuple[int, ...]
    matrices: NDArray[np.complex128]
    cut: int | None = None
