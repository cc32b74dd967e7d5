"""States and Gram matrices step by step, in NumPy or anything that looks like it: CuPy, on a GPU.

One product of matrices a step, and nothing fused: what faster kernels are checked against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.program import Step

__all__ = ["final_states", "gram_matrices"]

_COLUMNS = 1 << 20
"""Columns of states whose products are added up at a time, in double precision."""


def final_states(
    xp: Any, width: int, steps: Iterable[Step], dtype: str, fixed: Mapping[int, int]
) -> Any:
    """Follow steps from |0…0⟩.

    Args:
        xp: The module that arrays are made with.
        width: Local qubits.
        steps: In order.
        dtype: Of the states.
        fixed: Choices that are made at some cuts.

    Returns:
        (rows, 2**width) on the device; row `i * r + k` comes from row i by choice k.
    """
    states = xp.zeros((1, 1 << width), dtype=dtype)
    states[0, 0] = 1
    for step in steps:
        matrices = step.matrices
        if step.cut is not None and step.cut in fixed:
            matrices = matrices[fixed[step.cut]][None]
        states = _applied(xp, states, xp.asarray(matrices.astype(dtype)), step.qubits)
    return states


def gram_matrices(
    xp: Any,
    bra: Any,
    ket: Any,
    operators: Sequence[Sequence[tuple[int, NDArray[np.complex128]]]],
) -> NDArray[np.complex128]:
    """⟨ψ_i|O|φ_j⟩, added up in double precision.

    Args:
        xp: The module that the arrays belong to.
        bra: (a, 2**n) states.
        ket: (b, 2**n) states.
        operators: Of each, the qubits and the (2, 2) matrices there.

    Returns:
        (operators, a, b), in the host's memory.
    """
    out = xp.zeros((len(operators), len(bra), len(ket)), dtype=np.complex128)
    for number, operator in enumerate(operators):
        image = ket
        for qubit, matrix in operator:
            image = _applied(xp, image, xp.asarray(matrix.astype(ket.dtype))[None], (qubit,))
        for first in range(0, ket.shape[1], _COLUMNS):
            columns = slice(first, first + _COLUMNS)
            left = bra[:, columns].astype(np.complex128).conj()
            out[number] += left @ image[:, columns].astype(np.complex128).T
    found: NDArray[np.complex128] = out if xp is np else xp.asnumpy(out)
    return found


def _applied(xp: Any, states: Any, matrices: Any, qubits: tuple[int, ...]) -> Any:
    """(rows * r, 2**n) states: every one of (r, d, d) matrices on every one of (rows, 2**n)."""
    rows, size = states.shape
    choices = len(matrices)
    bits = sorted(qubits)
    # (rows, rest, 2, rest, 2, rest): the qubits apart, whatever lies between and around them.
    shape = [size >> (bits[-1] + 1)]
    for high, low in zip(bits[:0:-1], bits[-2::-1], strict=True):
        shape += [2, 1 << (high - low - 1)]
    shape += [2, 1 << bits[0]]
    at = {qubit: 2 + 2 * place for place, qubit in enumerate(reversed(bits))}
    front = [at[qubit] for qubit in reversed(qubits)]  # a matrix counts its last qubit highest
    rest = [axis for axis in range(1, 1 + len(shape)) if axis not in front]
    order = [0, *front, *rest]
    grid = states.reshape(rows, *shape).transpose(order)
    product = xp.matmul(matrices[None], grid.reshape(rows, 1, 1 << len(qubits), -1))
    back = [0, 1, *(1 + axis for axis in np.argsort(order)[1:].tolist())]
    new = product.reshape(rows, choices, *grid.shape[1:]).transpose(back)
    return new.reshape(rows * choices, size)
