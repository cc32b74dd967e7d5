"""Circuits of the kinds that are hard to cut, as bare problems: arithmetic, oracles, layers."""

from __future__ import annotations

import math

import numpy as np

from qdreamer_lab.search.problem import CutProblem

CX = 2 * math.log2(3)

Pairs = list[tuple[int, int]]


def problem(n: int, pairs: Pairs, width: int, sine: np.ndarray | None = None) -> CutProblem:
    """A problem of rotations about one axis; of CX unless |sin theta| is given."""
    sine = np.ones(len(pairs)) if sine is None else sine
    cost = 2 * np.log2(1 + 2 * sine)
    return CutProblem(n, np.array(pairs, np.int64), cost, width, sine=sine)


def toffoli(a: int, b: int, c: int) -> Pairs:
    """The pairs of the CX in a Toffoli gate."""
    return [(b, c), (a, c), (b, c), (a, c), (a, b)]


def adder(bits: int, width: int) -> CutProblem:
    """A ripple-carry adder after Cuccaro, on two registers and two more qubits."""
    a, b = list(range(1, bits + 1)), list(range(bits + 1, 2 * bits + 1))
    carry = [0, *a]
    pairs: Pairs = []
    for k in range(bits):
        pairs += [(a[k], b[k]), (a[k], carry[k]), *toffoli(carry[k], b[k], a[k])]
    pairs.append((a[-1], 2 * bits + 1))
    for k in reversed(range(bits)):
        pairs += [*toffoli(carry[k], b[k], a[k]), (a[k], carry[k]), (carry[k], b[k])]
    return problem(2 * bits + 2, pairs, width)


def multiplier(bits: int, width: int) -> CutProblem:
    """Shifted additions controlled by the bits of a factor: 3 registers and a carry."""
    n = 3 * bits + 1
    x, y, z = (list(range(k * bits, (k + 1) * bits)) for k in range(3))
    pairs: Pairs = []
    for i in range(bits):
        for j in range(bits - i):
            pairs += [*toffoli(x[i], y[j], n - 1), *toffoli(n - 1, z[i + j], z[-1])]
    return problem(n, [p for p in pairs if p[0] != p[1]], width)


def lookup(address: int, width: int) -> CutProblem:
    """A memory asked by address: a tree of controlled swaps, down and up again."""
    leaves = 2**address
    n = address + 2 * leaves - 1
    pairs: Pairs = []
    for level in range(address):
        first = address + 2**level - 1
        for node in range(2**level):
            one = first + node
            two = address + 2 ** (level + 1) - 1 + 2 * node
            pairs += [*toffoli(level, one, two), *toffoli(level, one, two + 1)]
    return problem(n, pairs + pairs[::-1], width)


def fourier(n: int, width: int) -> CutProblem:
    """A quantum Fourier transform: controlled phases between all pairs."""
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
    sine = np.array([abs(math.sin(math.pi / 2 ** (b - a + 1))) for a, b in pairs])
    return problem(n, pairs, width, sine)


def layers(n: int, depth: int, width: int) -> CutProblem:
    """Entangling layers as of a generator: a chain, then pairs at a distance that grows."""
    pairs = []
    for layer in range(depth):
        pairs += [(q, q + 1) for q in range(n - 1)]
        pairs += [(q, q + 2 + layer) for q in range(0, n - 2 - layer, 3)]
    sine = np.random.default_rng(n).uniform(0.2, 1.0, len(pairs))
    return problem(n, pairs, width, sine)


def grover(data: int, rounds: int, width: int) -> CutProblem:
    """Search for one string: a ladder of Toffolis up to ancillas and down, twice a round."""
    ancillas = list(range(data, 2 * data - 2))
    up = toffoli(0, 1, ancillas[0])
    for k, ancilla in enumerate(ancillas[1:]):
        up += toffoli(2 + k, ancillas[k], ancilla)
    ladder = [*up, (ancillas[-1], data - 1), *up[::-1]]
    return problem(2 * data - 2, ladder * 2 * rounds, width)


def regular(n: int, rounds: int, width: int) -> CutProblem:
    """QAOA on a graph of degree about 3."""
    rng = np.random.default_rng(n)
    edges = [(q, (q + 1) % n) for q in range(n)]
    edges += [(int(a), int(b)) for a, b in rng.permutation(n)[: n - n % 2].reshape(-1, 2)]
    return problem(n, edges * rounds, width, np.full(len(edges) * rounds, 0.6))


def dense(n: int, m: int, width: int) -> CutProblem:
    """CX on random pairs."""
    rng = np.random.default_rng(m)
    pairs = [(int(a), int(b)) for a, b in (rng.permutation(n)[:2] for _ in range(m))]
    return problem(n, pairs, width)


SUITE = {
    "adder": adder(5, 6),
    "multiplier": multiplier(4, 7),
    "lookup": lookup(3, 9),
    "fourier": fourier(10, 5),
    "layers": layers(18, 3, 7),
    "regular": regular(16, 2, 8),
    "dense": dense(10, 60, 5),
    "grover": grover(6, 2, 5),
}

#: The same kinds, of more qubits than can be searched to the end.
WIDE = {
    "adder": adder(64, 33),
    "multiplier": multiplier(15, 23),
    "lookup": lookup(5, 24),
    "fourier": fourier(24, 8),
    "layers": layers(111, 3, 36),
    "regular": regular(100, 2, 40),
    "grover": grover(33, 2, 20),
}
