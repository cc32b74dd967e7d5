"""A two-qubit block as a sum of products of unitaries: its Weyl (KAK) form.

U = Σ_s u_s A_s ⊗ B_s, where A_s and B_s are the same Pauli P_s between one-qubit frames. Sampled
mode needs this form of the operator-Schmidt decomposition because every term can run on a device.
Plain arrays in and out; this module must not know cuts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qiskit.synthesis import TwoQubitWeylDecomposition

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PAULIS", "WeylForm", "weyl_form"]

PAULIS = np.array(
    [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]],
    dtype=np.complex128,
)
"""I, X, Y, Z."""

_TOLERANCE = 1e-9
"""Terms below this are left out: far below any sampling error."""


@dataclass(frozen=True, eq=False, slots=True)
class WeylForm:
    """One block as Σ_s u_s high_s ⊗ low_s.

    Attributes:
        coefficients: (r,) complex128, Σ |u|² = 1 to rounding; r from 1 to 4.
        paulis: The r Paulis between the frames, as indices into `PAULIS`.
        low: (r, 2, 2) unitaries on the block's low qubit.
        high: (r, 2, 2) unitaries on its high qubit.
    """

    coefficients: NDArray[np.complex128]
    paulis: tuple[int, ...]
    low: NDArray[np.complex128]
    high: NDArray[np.complex128]

    @property
    def commute(self) -> NDArray[np.bool_]:
        """(r, r): whether two of the Paulis commute."""
        p = np.array(self.paulis)
        return np.asarray((p[:, None] == p) | (p[:, None] == 0) | (p == 0))


def weyl_form(unitary: NDArray[np.complex128]) -> WeylForm:
    """Bring a block into Weyl form.

    exp(i(aXX + bYY + cZZ)) = Σ_P u_P P ⊗ P, because XX, YY and ZZ commute and multiply to -1
    (Zhang, Vala, Sastry and Whaley, arXiv:quant-ph/0209120).

    Args:
        unitary: (4, 4), little-endian.
    """
    form = TwoQubitWeylDecomposition(unitary, fidelity=None)
    cos = np.cos([form.a, form.b, form.c])
    sin = 1j * np.sin([form.a, form.b, form.c])
    u = np.array(
        [
            cos[0] * cos[1] * cos[2] - sin[0] * sin[1] * sin[2],
            sin[0] * cos[1] * cos[2] - cos[0] * sin[1] * sin[2],
            cos[0] * sin[1] * cos[2] - sin[0] * cos[1] * sin[2],
            cos[0] * cos[1] * sin[2] - sin[0] * sin[1] * cos[2],
        ]
    ) * np.exp(1j * form.global_phase)
    kept = np.flatnonzero(np.abs(u) > _TOLERANCE)
    # Qiskit calls the most significant qubit left.
    low = form.K1r @ PAULIS[kept] @ form.K2r
    high = form.K1l @ PAULIS[kept] @ form.K2l
    return WeylForm(u[kept], tuple(kept.tolist()), low, high)
