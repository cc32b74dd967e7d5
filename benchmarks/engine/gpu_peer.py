"""NVIDIA's cuStateVec on the circuits of `benchmarks.engine.gpu`, from |0…0⟩ to values.

It is called as its C interface has it, so nothing but `pip install custatevec-cu13` (or -cu12) is
needed. It gets one matrix for each group of neighbouring gates: multiplying them together is not
on its clock, nor is bringing matrices to the GPU.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.gpu.device import cupy_module

if TYPE_CHECKING:
    from qdreamer_lab.engine.program import Step

__all__ = ["CuStateVec", "fused", "missing"]

_TYPES = {"complex128": (5, 16), "complex64": (4, 4)}
"""CUDA_C_64F and CUSTATEVEC_COMPUTE_64F, and those for single precision."""

_ROW_MAJOR = 1
_PAULIS = {"X": 1, "Y": 2, "Z": 3}

Word = Sequence[tuple[int, str]]


def _library() -> Path | None:
    """Where it is: `CUSTATEVEC_LIBRARY`, or beside the package that pip brings."""
    if told := os.environ.get("CUSTATEVEC_LIBRARY"):
        return Path(told)
    spec = find_spec("cuquantum")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if found := sorted(Path(folder).glob("lib/libcustatevec.so.*")):
            return found[0]
    return None


def missing() -> str:
    """What has to be installed; empty if nothing has to."""
    return "" if _library() else "cuStateVec is not here: pip install custatevec-cu13 (or -cu12)"


def fused(steps: Sequence[Step], most: int) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """Neighbouring steps as one matrix on up to `most` qubits, the first qubit least significant.

    A step joins the matrix before it as long as that does not grow beyond `most` qubits.
    """
    found: list[tuple[tuple[int, ...], np.ndarray]] = []
    for step in steps:
        (matrix,) = step.matrices
        qubits, before = found.pop() if found else ((), np.eye(1, dtype=complex))
        union = (*qubits, *(qubit for qubit in step.qubits if qubit not in qubits))
        if len(union) > most:
            found.append((qubits, before))
            qubits, before, union = (), np.eye(1, dtype=complex), step.qubits
        whole = _on(matrix, step.qubits, union) @ _on(before, qubits, union)
        found.append((union, whole))
    return found


def _on(matrix: np.ndarray, qubits: tuple[int, ...], union: tuple[int, ...]) -> np.ndarray:
    """A matrix on some qubits as one on all of `union`."""
    size, k, n = 1 << len(union), len(qubits), len(union)
    axes = [n - 1 - union.index(qubit) for qubit in reversed(qubits)]
    identity = np.eye(size, dtype=complex).reshape((2,) * n + (size,))
    turned = np.tensordot(matrix.reshape((2,) * 2 * k), identity, (range(k, 2 * k), axes))
    return np.moveaxis(turned, range(k), axes).reshape(size, size)


class CuStateVec:
    """A handle of the library.

    Raises:
        OSError: It cannot be loaded.
    """

    def __init__(self) -> None:
        cupy_module().cuda.Device().cublas_handle  # noqa: B018 loads cuBLAS, which it needs
        self._calls = ctypes.CDLL(str(_library()))
        self._handle = ctypes.c_void_p()
        self._check(self._calls.custatevecCreate(ctypes.byref(self._handle)))

    @staticmethod
    def _check(status: int) -> None:
        if status:
            raise RuntimeError(f"cuStateVec says {status}")

    def prepared(
        self, width: int, steps: Sequence[Step], words: Sequence[Word], dtype: str, most: int
    ) -> Callable[[], np.ndarray]:
        """A circuit that is ready to run; what is returned runs it and returns its values.

        Args:
            width: Qubits.
            steps: Gates without choices, which act on |0…0⟩.
            words: Pauli words to take the values of.
            dtype: Of the state.
            most: Qubits of a matrix.
        """
        cupy = cupy_module()
        data, compute = _TYPES[dtype]
        gates: list[tuple[Any, Any, int]] = []
        for qubits, matrix in fused(steps, most):
            on_device = cupy.asarray(np.ascontiguousarray(matrix.astype(dtype)))
            gates.append(((ctypes.c_int32 * len(qubits))(*qubits), on_device, len(qubits)))
        needed = max(self._workspace(width, gate, data, compute) for gate in gates)
        scratch = cupy.empty(max(needed, 1), np.uint8)
        letters = [(ctypes.c_int * len(w))(*(_PAULIS[b] for _, b in w)) for w in words]
        places = [(ctypes.c_int32 * len(w))(*(q for q, _ in w)) for w in words]
        counts = (ctypes.c_uint32 * len(words))(*map(len, words))

        def run() -> np.ndarray:
            state = cupy.zeros(1 << width, dtype)
            state[0] = 1
            vector = ctypes.c_void_p(state.data.ptr)
            for targets, matrix, count in gates:
                self._check(
                    self._calls.custatevecApplyMatrix(
                        *(self._handle, vector, data, width),
                        *(ctypes.c_void_p(matrix.data.ptr), data, _ROW_MAJOR, 0),
                        *(targets, count, None, None, 0, compute),
                        *(ctypes.c_void_p(scratch.data.ptr), ctypes.c_size_t(needed)),
                    )
                )
            values = np.empty(len(words))
            pointers = [
                (ctypes.c_void_p * len(words))(*map(ctypes.addressof, each))
                for each in (letters, places)
            ]
            self._check(
                self._calls.custatevecComputeExpectationsOnPauliBasis(
                    *(self._handle, vector, data, width),
                    *(ctypes.c_void_p(values.ctypes.data), pointers[0], len(words)),
                    *(pointers[1], counts),
                )
            )
            return values

        return run

    def _workspace(self, width: int, gate: tuple[Any, Any, int], data: int, compute: int) -> int:
        """Bytes that a gate wants beside the state."""
        size = ctypes.c_size_t()
        self._check(
            self._calls.custatevecApplyMatrixGetWorkspaceSize(
                *(self._handle, data, width, ctypes.c_void_p(gate[1].data.ptr), data),
                *(_ROW_MAJOR, 0, gate[2], 0, compute, ctypes.byref(size)),
            )
        )
        return size.value
