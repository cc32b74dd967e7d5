"""The circuits on which simulators are compared: four families at any width, all of it seeded."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from benchmarks.circuits import eagle_bonds
from benchmarks.engine.gates import Circuit, Gate, su4

if TYPE_CHECKING:
    from collections.abc import Callable

SU2_REPS, QAOA_LAYERS, BRICK_LAYERS, TROTTER_STEPS = 2, 2, 6, 5
MIDDLE = 62
"""A qubit in the middle of the 127-qubit lattice, from which patches of it grow."""


def su2(num_qubits: int, rng: np.random.Generator) -> list[Gate]:
    """EfficientSU2, linear, all angles random."""
    gates: list[Gate] = []
    for layer in range(SU2_REPS + 1):
        if layer:
            gates += [Gate("cx", (qubit, qubit + 1)) for qubit in range(num_qubits - 1)]
        for name in ("ry", "rz"):
            angles = rng.uniform(-math.pi, math.pi, num_qubits).tolist()
            gates += [Gate(name, (qubit,), (angle,)) for qubit, angle in enumerate(angles)]
    return gates


def qaoa(num_qubits: int, rng: np.random.Generator) -> list[Gate]:
    """QAOA on a random 3-regular graph."""
    edges = sorted(nx.random_regular_graph(3, num_qubits, seed=int(rng.integers(1 << 30))).edges)
    gates = [Gate("h", (qubit,)) for qubit in range(num_qubits)]
    for gamma, beta in rng.uniform(0.2, 1.2, (QAOA_LAYERS, 2)).tolist():
        gates += [Gate("rzz", edge, (gamma,)) for edge in edges]
        gates += [Gate("rx", (qubit,), (beta,)) for qubit in range(num_qubits)]
    return gates


def brickwork(num_qubits: int, rng: np.random.Generator) -> list[Gate]:
    """Layers of random SU(4) on neighbours, every other layer moved by one qubit."""
    pairs = [
        (q, q + 1) for layer in range(BRICK_LAYERS) for q in range(layer % 2, num_qubits - 1, 2)
    ]
    return [su4(random_su4(rng), pair) for pair in pairs]


def random_su4(rng: np.random.Generator) -> np.ndarray:
    """A (4, 4) unitary by the Haar measure: QR of a Gaussian matrix, phases of R taken out."""
    real, imaginary = rng.normal(size=(2, 4, 4))
    unitary, upper = np.linalg.qr(real + 1j * imaginary)
    return unitary * (np.diag(upper) / np.abs(np.diag(upper)))


def trotter(num_qubits: int, rng: np.random.Generator) -> list[Gate]:
    """Steps of an Ising model in a field, on a connected patch of the heavy-hex lattice."""
    field, bond = rng.uniform(0.3, 0.8, 2).tolist()
    pairs = patch(num_qubits)
    gates = []
    for _ in range(TROTTER_STEPS):
        gates += [Gate("rx", (qubit,), (field,)) for qubit in range(num_qubits)]
        gates += [Gate("rzz", pair, (-bond,)) for pair in pairs]
    return gates


@cache
def heavy_hex() -> tuple[nx.Graph, list[list[int]]]:
    """The lattice and its rings of twelve."""
    lattice = nx.Graph(eagle_bonds())
    return lattice, sorted(sorted(ring) for ring in nx.minimum_cycle_basis(lattice))


def patch(num_qubits: int) -> list[tuple[int, int]]:
    """Bonds of a connected patch of the heavy-hex lattice, grown ring by ring, renumbered."""
    lattice, rings = heavy_hex()
    place: dict[int, int] = {MIDDLE: 0}
    while len(place) < num_qubits:
        known = place.keys()
        ring = max((each for each in rings if set(each) - known), key=lambda r: len(known & set(r)))
        while len(place) < num_qubits and set(ring) - known:
            beside = (site for site in ring if site not in place and known & set(lattice[site]))
            place[next(beside)] = len(place)
    bonds = [pair for pair in eagle_bonds() if place.keys() >= set(pair)]
    return sorted(tuple(sorted((place[first], place[second]))) for first, second in bonds)


def mixed(num_qubits: int) -> Circuit:
    """All kinds of gates at random, and strings with one Y, so that no sign can go unseen."""
    rng = np.random.default_rng(num_qubits)
    gates: list[Gate] = []
    for name in ("h", *("rx", "ry", "rz", "rzz", "cx", "su4") * 2):
        shuffled = rng.permutation(num_qubits)[: num_qubits // 2 * 2]
        for first, second in shuffled.reshape(-1, 2).tolist():
            if name == "su4":
                gates.append(su4(random_su4(rng), (first, second)))
                continue
            on = (first, second) if name in ("rzz", "cx") else (first,)
            angles = () if name in ("h", "cx") else (float(rng.uniform(0.3, 1.3)),)
            gates.append(Gate(name, on, angles))
    strings = (("Y", (0,)), ("XYZ", (1, 2, 3)), ("ZZY", (3, 1, 0)))
    return Circuit("mixed", num_qubits, tuple(gates), strings)


FAMILIES: dict[str, Callable[[int, np.random.Generator], list[Gate]]] = {
    "su2": su2,
    "qaoa": qaoa,
    "brickwork": brickwork,
    "trotter": trotter,
}


def circuit(name: str, num_qubits: int) -> Circuit:
    """A family's circuit, with Z on all qubits, X and Z on two of them, and Y and Y on two."""
    rng = np.random.default_rng([num_qubits, list(FAMILIES).index(name)])
    gates = FAMILIES[name](num_qubits, rng)
    first, second, third, fourth = rng.permutation(num_qubits)[:4].tolist()
    observables = (
        ("Z" * num_qubits, tuple(range(num_qubits))),
        ("XZ", (first, second)),
        ("YY", (third, fourth)),
    )
    return Circuit(name, num_qubits, tuple(gates), observables)
