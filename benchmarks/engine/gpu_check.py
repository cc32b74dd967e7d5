"""Whether a GPU computes what cores do: every kind of operation and of sum on its own.

Run by `benchmarks.engine.gpu` before it times anything; needs no more than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.engine.cpu.gram import string_matrices
from qdreamer_lab.engine.cpu.gram_plan import PauliString
from qdreamer_lab.engine.cpu.run import simulate
from qdreamer_lab.engine.gpu.device import cupy_module
from qdreamer_lab.engine.gpu.states import gpu_states
from qdreamer_lab.engine.gpu.sums import gpu_gram
from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import GpuError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LIMITS", "check_all", "cpu_gram", "unitary"]

PAULIS = {
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]).astype(complex),
}
PROJECTORS = {
    "0": ("Z", 1),
    "1": ("Z", -1),
    "+": ("X", 1),
    "-": ("X", -1),
    "r": ("Y", 1),
    "l": ("Y", -1),
}
LIMITS = {"complex128": 1e-12, "complex64": 1e-5}


def unitary(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random one."""
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


def cpu_gram(states: np.ndarray, operators: Any, cores: int) -> np.ndarray:
    """(operators, rows, rows) of Pauli strings, as workers take them."""
    strings = []
    for operator in operators:
        x, y, z = (sum(1 << q for q, b in operator if b == a) for a in "XYZ")
        strings.append(PauliString(x | y, z | y, phase=1j ** y.bit_count()))
    out = np.empty((len(operators), len(states), len(states)), complex)
    string_matrices(states, states, tuple(strings), tuple(range(len(strings))), out, cores)
    return out


def _programs(rng: np.random.Generator, width: int) -> Iterator[tuple[str, list[Step]]]:
    """For each kind of operation, a program of it on many pairs of qubits, and one of all."""

    def controlled(low: bool) -> np.ndarray:
        matrix = np.zeros((4, 4), complex)
        for k in range(2):
            half = slice(k, 4, 2) if low else slice(2 * k, 2 * k + 2)
            matrix[half, half] = unitary(rng, 2)
        return matrix

    kinds = {
        "dense two-qubit gates": lambda: unitary(rng, 4),
        "multiplexed gates (low control)": lambda: controlled(True),
        "multiplexed gates (high control)": lambda: controlled(False),
        "diagonals": lambda: np.diag(np.exp(1j * rng.normal(size=4))),
    }
    layer = [Step((q,), unitary(rng, 2)[None]) for q in range(width)]
    yield "dense one-qubit gates", layer
    everything = list(layer)
    for name, make in kinds.items():
        pairs = [rng.choice(width, 2, replace=False).tolist() for _ in range(3 * width)]
        steps = [Step(tuple(pair), make()[None]) for pair in pairs]
        yield name, layer + steps
        everything += steps
    branches = [
        Step((q,), np.stack([unitary(rng, 2) for _ in range(3)]), q) for q in (1, width - 2)
    ]
    yield "choices", [*layer, branches[0], *everything[-9:], branches[1]]
    yield "all kinds together", [*everything, branches[0], *everything[:40], branches[1], *layer]


def _expected_gram(states: np.ndarray, operators: Any) -> np.ndarray:
    out = []
    for operator in operators:
        image = states.astype(complex)
        for qubit, letter in operator:
            axis, sign = PROJECTORS.get(letter, (letter, 0))
            apart = image.reshape(len(states), -1, 2, 1 << qubit)
            turned = np.einsum("ij,rajb->raib", PAULIS[axis], apart).reshape(image.shape)
            image = (image + sign * turned) / 2 if sign else turned
        out.append(states.astype(complex).conj() @ image.T)
    return np.array(out)


def check_all(width: int = 15, seed: int = 0) -> list[str]:
    """Lines that say what is wrong: none if all is right."""
    rng = np.random.default_rng(seed)
    wrong = []

    def judge(name: str, dtype: str, run: Any, expected: np.ndarray) -> None:
        try:
            found = run()
        except GpuError as error:
            wrong.append(f"{name}, {dtype}: {error}")
            return
        error = float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
        if not error <= LIMITS[dtype]:
            wrong.append(
                f"{name}, {dtype}: error {error:.1e}, at most {LIMITS[dtype]:.0e} expected"
            )

    cupy = cupy_module()
    for name, steps in _programs(rng, width):
        expected = simulate(width, steps)
        for dtype in LIMITS:
            judge(
                name,
                dtype,
                lambda d=dtype, s=steps: cupy.asnumpy(gpu_states(width, s, d)),
                expected,
            )
    letters = [*PAULIS, *PROJECTORS]
    operators = [
        tuple(
            (q, str(rng.choice(letters))) for q in sorted(rng.choice(9, 3, replace=False).tolist())
        )
        for _ in range(24)
    ]
    operators += [((q, "Z"),) for q in range(9)]
    for rows, name in ((1, "sums, one row"), (6, "sums, few rows"), (40, "products, many rows")):
        states = rng.normal(size=(rows, 1 << 13)) + 1j * rng.normal(size=(rows, 1 << 13))
        states /= np.linalg.norm(states, axis=1)[:, None]
        expected = _expected_gram(states, operators)
        for dtype in LIMITS:
            array = states.astype(dtype)

            def run(array: np.ndarray = array) -> np.ndarray:
                held = cupy.asarray(array)
                return gpu_gram(held, held, operators)

            judge(name, dtype, run, expected)
    return wrong
