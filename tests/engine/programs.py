"""Random programs for the engine, and what they come to by plain NumPy."""

import numpy as np
from hypothesis import strategies as st

from qdreamer_lab.engine.program import Step


def unitary(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


def controlled(rng, *, low):
    """A 4 x 4 matrix that keeps its low or its high qubit."""
    matrix = np.zeros((4, 4), complex)
    halves = (slice(0, 4, 2), slice(1, 4, 2)) if low else (slice(0, 2), slice(2, 4))
    for half in halves:
        matrix[half, half] = unitary(rng, 2)
    return matrix


TWO_QUBITS = {
    "dense": lambda rng: unitary(rng, 4),
    "diagonal": lambda rng: np.diag(np.exp(1j * rng.normal(size=4))),
    "keeps low": lambda rng: controlled(rng, low=True),
    "keeps high": lambda rng: controlled(rng, low=False),
}


def two_qubits(rng, kind, low, high):
    return Step((low, high), TWO_QUBITS[kind](rng)[None])


def one_qubit(rng, kind, qubit):
    matrix = np.diag(np.exp(1j * rng.normal(size=2))) if kind == "phase" else unitary(rng, 2)
    return Step((qubit,), matrix[None])


def branch(rng, rank, qubit, cut):
    matrices = rng.normal(size=(rank, 2, 2)) + 1j * rng.normal(size=(rank, 2, 2))
    return Step((qubit,), matrices / 2, cut)


@st.composite
def programs(draw, most_qubits=9, most_steps=24, most_cuts=3):
    """(width, steps), with every kind of gate and some branches."""
    width = draw(st.integers(1, most_qubits))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps, cuts = [], 0
    kinds = ["alone", "phase", "branch", *(TWO_QUBITS if width > 1 else ())]
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=most_steps)):
        if kind in TWO_QUBITS:
            pair = rng.choice(width, 2, replace=False).tolist()
            steps.append(two_qubits(rng, kind, *pair))
        elif kind != "branch":
            steps.append(one_qubit(rng, kind, int(rng.integers(width))))
        elif cuts < most_cuts:
            steps.append(branch(rng, int(rng.integers(2, 5)), int(rng.integers(width)), cuts))
            cuts += 1
    return width, steps


def applied(states, matrix, qubits):
    """(rows, 2**n) times a matrix, by moving axes."""
    n = states.shape[1].bit_length() - 1
    axes = [n - qubit for qubit in reversed(qubits)]
    front = np.moveaxis(states.reshape(-1, *[2] * n), axes, range(1, 1 + len(axes)))
    image = np.einsum("xy,ryb->rxb", matrix, front.reshape(len(states), len(matrix), -1))
    return np.moveaxis(image.reshape(front.shape), range(1, 1 + len(axes)), axes).reshape(
        states.shape
    )


def expected_states(width, steps, fixed=None):
    """(rows, 2**width), step after step."""
    states = np.zeros((1, 1 << width), complex)
    states[0, 0] = 1
    for step in steps:
        matrices = step.matrices
        if step.cut is not None and step.cut in (fixed or {}):
            matrices = matrices[fixed[step.cut]][None]
        every = [applied(states, matrix, step.qubits) for matrix in matrices]
        states = np.stack(every, axis=1).reshape(-1, 1 << width)
    return states
