"""Gram matrices ⟨ψ_i|O|φ_j⟩ of states on a GPU; only they travel back.

States are not copied: operators that are no Pauli strings rotate them in place for a while. With
few rows a kernel sums over the amplitudes; with many, cuBLAS multiplies some columns at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from qdreamer_lab.engine.gpu.device import cupy_module, gpu_errors
from qdreamer_lab.engine.gpu.launch import THREADS, launch
from qdreamer_lab.engine.gpu.shapes import ProductShape, SumShape, by_products
from qdreamer_lab.engine.gpu.strings import rotated_strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qdreamer_lab.engine.gpu.strings import Letters, Rotated

__all__ = ["Pending", "gpu_gram", "on_host", "start_gram"]

_MOST_BLOCKS = 1 << 16
"""Blocks of kernels that go on in strides."""

_TOGETHER = 16 << 20
"""Results up to this size travel as one array, which is a copy on the device."""


class Pending(NamedTuple):
    """Gram matrices that are being made on the device.

    Attributes:
        shape: (operators, a, b).
        parts: Which operators, and (m, a, b) sums on the device.
        conjugate: Whether the sums are the conjugates of what is wanted.
    """

    shape: tuple[int, int, int]
    parts: list[tuple[Rotated, Any]]
    conjugate: bool


def gpu_gram(bra: Any, ket: Any, operators: Sequence[Letters]) -> NDArray[np.complex128]:
    """⟨ψ_i|O|φ_j⟩ for all rows ψ of `bra` and φ of `ket`, and all operators.

    Args:
        bra: (a, 2**n) on the device; changed for a while and changed back.
        ket: (b, 2**n) likewise; the same array as `bra` if the states are the same.
        operators: On local qubits below n.

    Returns:
        (operators, a, b) complex128 on the host.

    Raises:
        GpuError: The GPU's memory is full, or it failed.
    """
    return on_host([start_gram(bra, ket, operators)])[0]


def start_gram(bra: Any, ket: Any, operators: Sequence[Letters]) -> Pending:
    """Begin `gpu_gram`; the states may be given up at once."""
    a, b = len(bra), len(ket)
    many = by_products(a, b)
    parts = []
    with gpu_errors(f"{len(operators)} Gram matrices of {a} x {b} states", 16 * a * b):
        for rotated in rotated_strings(operators):
            turned = [bra] if ket is bra else [bra, ket]
            for states in turned:
                _rotate(states, rotated, back=False)
            parts.append((rotated, (_products if many else _sums)(bra, ket, rotated)))
            for states in turned:
                _rotate(states, rotated, back=True)
    return Pending((len(operators), a, b), parts, many)


def on_host(pending: Sequence[Pending]) -> list[NDArray[np.complex128]]:
    """Wait for Gram matrices and fetch them, all small ones in one piece."""
    cupy = cupy_module()
    arrays = [sums for each in pending for _, sums in each.parts]
    with gpu_errors("Gram matrices on their way back", sum(array.nbytes for array in arrays)):
        if len(arrays) > 1 and sum(array.nbytes for array in arrays) <= _TOGETHER:
            flat = cupy.asnumpy(cupy.concatenate([array.ravel() for array in arrays]))
            ends = np.cumsum([array.size for array in arrays])[:-1]
            pieces = np.split(flat, ends)
        else:
            pieces = [cupy.asnumpy(array) for array in arrays]
    found = []
    rest = iter(pieces)
    for shape, parts, conjugate in pending:
        out = np.zeros(shape, np.complex128)
        for rotated, _ in parts:
            sums = next(rest).reshape(-1, *shape[1:])
            out[rotated.numbers] = sums.conj() if conjugate else sums
            out[rotated.numbers] *= rotated.phases[:, None, None]
        found.append(out)
    return found


def _rotate(states: Any, rotated: Rotated, *, back: bool) -> None:
    cupy = cupy_module()
    pairs = states.size // 2
    for qubit, matrix in rotated.rotations:
        turn = cupy.asarray((matrix.conj().T if back else matrix).ravel().astype(states.dtype))
        grid = (min(-(-pairs // THREADS), _MOST_BLOCKS),)
        arguments = (states, np.int64(pairs), np.int32(qubit), turn)
        launch("rotate", states.dtype, grid, THREADS, arguments)


def _sums(bra: Any, ket: Any, rotated: Rotated) -> Any:
    """(m, a, b) by a kernel: blocks sum their shares, and shares are added up."""
    cupy = cupy_module()
    a, (b, size) = len(bra), ket.shape
    threads = min(THREADS, max(32, size))
    shape = SumShape.of(a, b, size, threads)
    groups = rotated.groups(shape.strings)
    name = "sums_of_one" if shape.rows == 1 else "sums_of_four"
    out = cupy.empty((len(rotated.strings), a, b), np.complex128)
    for begin in range(0, len(groups), shape.batch):
        some = groups[begin : begin + shape.batch]
        first, end = int(some[0, 0]), int(some[-1].sum())
        shares = cupy.empty((end - first, a, b, shape.shares), np.complex128)
        launch(
            name,
            bra.dtype,
            (shape.shares, shape.squares, len(some)),
            threads,
            (
                bra,
                ket,
                np.int64(size),
                np.int32(a),
                np.int32(b),
                cupy.asarray(np.ascontiguousarray(rotated.strings[first:end])),
                cupy.asarray(some - np.array([first, 0])),
                shares,
            ),
            16 * threads,
        )
        out[first:end] = shares.sum(axis=-1)
    return out


def _products(bra: Any, ket: Any, rotated: Rotated) -> Any:
    """(m, a, b) conjugated, by products of matrices: bra times the conjugate of O ket."""
    cupy = cupy_module()
    a, (b, size) = len(bra), ket.shape
    shape = ProductShape.of(a, b, size, bra.itemsize)
    strings = len(rotated.strings)
    every = cupy.asarray(rotated.strings)
    nothing = cupy.zeros((1, 4), np.int64)
    out = cupy.zeros((strings, a, b), np.complex128)
    for start in range(0, size, shape.columns):
        for begin in range(0, strings, shape.stack):
            some = every[begin : begin + shape.stack]
            image = _columns(ket, some, start, shape.columns, conjugate=True)
            for top in range(0, a, shape.rows):
                rows = bra[top : top + shape.rows]
                left = _columns(rows, nothing, start, shape.columns, conjugate=False)
                product = cupy.matmul(left, image.T)
                apart = product.reshape(len(rows), len(some), b).transpose(1, 0, 2)
                out[begin : begin + shape.stack, top : top + shape.rows] += apart
    return out


def _columns(states: Any, strings: Any, start: int, columns: int, *, conjugate: bool) -> Any:
    """(strings * rows, columns) of what strings make of states, contiguous."""
    rows, size = states.shape
    out = cupy_module().empty((len(strings) * rows, columns), states.dtype)
    grid = (min(-(-columns // THREADS), 64), min(len(out), 65_535))
    arguments = (
        states,
        *(np.int64(number) for number in (size, rows, start, columns)),
        strings,
        np.int64(len(strings)),
        np.int32(conjugate),
        out,
    )
    launch("images", states.dtype, grid, THREADS, arguments)
    return out
