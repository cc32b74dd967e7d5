"""Random gates on a few qubits, and what they come to by plain NumPy."""

import numpy as np
from hypothesis import strategies as st

LETTERS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}
SWAP = np.eye(4)[[0, 2, 1, 3]]


def unitary(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))[0]


def keeps(rng, *, low):
    """A 4 x 4 unitary that is diagonal on one of its qubits."""
    matrix = np.zeros((4, 4), complex)
    for k in range(2):
        half = slice(k, 4, 2) if low else slice(2 * k, 2 * k + 2)
        matrix[half, half] = unitary(rng, 2)
    return matrix


KINDS = {
    "one": (1, lambda rng: unitary(rng, 2)),
    "phase": (1, lambda rng: np.diag(np.exp(1j * rng.normal(size=2)))),
    "dense": (2, lambda rng: unitary(rng, 4)),
    "diagonal": (2, lambda rng: np.diag(np.exp(1j * rng.normal(size=4)))),
    "keeps low": (2, lambda rng: keeps(rng, low=True)),
    "keeps high": (2, lambda rng: keeps(rng, low=False)),
    "swap": (2, lambda rng: SWAP),
}


@st.composite
def gate_lists(draw, num_qubits, most=25):
    """Qubits and matrices, in order."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    found = []
    for kind in kinds:
        count, make = KINDS[kind]
        qubits = tuple(rng.choice(num_qubits, count, replace=False).tolist())
        found.append((qubits, make(rng)))
    return found


def applied(matrix, qubits, state):
    """A matrix on some qubits of a state (2**n,), by matrix elements."""
    n = len(state).bit_length() - 1
    index = np.arange(len(state))
    inner = sum((index >> qubit & 1) << k for k, qubit in enumerate(qubits))
    rest = index & ~sum(1 << qubit for qubit in qubits)
    found = np.zeros(len(state), complex)
    for column in range(1 << len(qubits)):
        to = rest | sum((column >> k & 1) << qubit for k, qubit in enumerate(qubits))
        found += matrix[inner, column] * state[to]
    assert n
    return found


def dense_state(num_qubits, gates):
    state = np.zeros(1 << num_qubits, complex)
    state[0] = 1
    for qubits, matrix in gates:
        state = applied(matrix, qubits, state)
    return state


def dense_value(state, letters):
    """⟨ψ|P|ψ⟩; the last letter is that of qubit 0."""
    image = state
    for qubit, letter in enumerate(reversed(letters)):
        image = applied(LETTERS[letter], (qubit,), image)
    return np.vdot(state, image).real
