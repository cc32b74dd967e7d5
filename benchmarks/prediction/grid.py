"""What the benchmark runs: circuits of six families, and every way in which each is run.

Builds and lists; nothing runs here. A circuit is given by its family, size, depth and seed, and its
observables by their number and seed, so that a row of the benchmark says how to make it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2, real_amplitudes

if TYPE_CHECKING:
    from collections.abc import Callable

BASES = 3
"""Measurement bases that the observables of a circuit need."""

SAMPLED_PART = 10
"""Sampled mode gets one in so many of the observables, and 15 at least."""

WIDEST_STATE = 22
"""Circuits wider than this are not run uncut if many observables are wanted: each is a pass over
the state, and 150 of them on 24 qubits take a minute."""

FEW = 40
"""So many observables are no reason not to."""

WIDEST_WITH_FEW = 24

WIDEST_SAMPLED = 20
"""Fragments wider than this are not sampled: shots are drawn from all probabilities."""


@dataclass(frozen=True)
class Job:
    """Expectation values that are wanted, however they are found.

    Attributes:
        family: A key of `FAMILIES`.
        n: Number of qubits.
        depth: Number of layers, whatever those are in the family.
        strings: Number of observables in exact mode, each a Pauli string.
        widths: Greatest widths of a fragment to cut to; uncut comes on top.
        precision: Standard error wanted.
    """

    family: str
    n: int
    depth: int
    strings: int
    widths: tuple[int, ...]
    precision: float

    @property
    def name(self) -> str:
        """What rows call it."""
        return f"{self.family}_{self.n}_{self.depth}"

    def circuit(self, seed: int) -> QuantumCircuit:
        """The circuit."""
        return FAMILIES[self.family](self.n, self.depth, np.random.default_rng([seed, self.n]))

    def observables(self, mode: str, seed: int) -> list[str]:
        """Different Pauli strings that can be read off a few measurement bases.

        Fewer in sampled mode, where each of them costs more to put together.
        """
        wanted = self.strings if mode == "exact" else max(15, self.strings // SAMPLED_PART)
        if wanted > (BASES << self.n) // 2:
            raise ValueError(f"{self.n} qubits have no {wanted} such strings")
        rng = np.random.default_rng([seed, self.n, wanted])
        bases = rng.choice(list("XYZ"), size=(BASES, self.n))
        found: dict[str, None] = {}
        while len(found) < wanted:
            kept = rng.random(self.n) < rng.uniform(0.1, 0.6)
            string = "".join(np.where(kept, bases[rng.integers(BASES)], "I"))
            if set(string) != {"I"}:
                found[string] = None
        return list(found)


@dataclass(frozen=True)
class Way:
    """One way to run a job.

    Attributes:
        job: The values that are wanted.
        width: Greatest width of a fragment; the circuit's own is uncut.
        mode: "exact" or "sampled".
        workers: Number of workers that share the work.
        cores: Of each.
    """

    job: Job
    width: int
    mode: str
    workers: int
    cores: int = 1

    @property
    def name(self) -> str:
        """What is printed."""
        how = "uncut" if self.uncut else f"width {self.width}"
        return f"{self.job.name}, {how}, {self.mode}, {self.workers} x {self.cores} core(s)"

    @property
    def uncut(self) -> bool:
        """Whether nothing is cut."""
        return self.width >= self.job.n


def su2(n: int, reps: int, rng: np.random.Generator) -> QuantumCircuit:
    """EfficientSU2, linear entanglement, random angles."""
    circuit = efficient_su2(n, reps=reps, entanglement="linear")
    return circuit.assign_parameters(rng.uniform(0, np.pi, circuit.num_parameters))


def vqe(n: int, reps: int, rng: np.random.Generator) -> QuantumCircuit:
    """Real amplitudes, reverse linear entanglement, random angles."""
    circuit = real_amplitudes(n, reps=reps, entanglement="reverse_linear")
    return circuit.assign_parameters(rng.uniform(0, np.pi, circuit.num_parameters))


def qaoa(n: int, layers: int, rng: np.random.Generator) -> QuantumCircuit:
    """QAOA on a ring, or on a random 3-regular graph if n is a multiple of 4."""
    graph = (
        nx.cycle_graph(n) if n % 4 else nx.random_regular_graph(3, n, seed=int(rng.integers(99)))
    )
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for _ in range(layers):
        gamma, beta = rng.uniform(0.2, 1.2, 2)
        for first, second in sorted(graph.edges):
            circuit.rzz(gamma, first, second)
        circuit.rx(beta, range(n))
    return circuit


def ghz(n: int, layers: int, rng: np.random.Generator) -> QuantumCircuit:
    """A GHZ state, turned on every qubit; again and again if there are several layers."""
    circuit = QuantumCircuit(n)
    for _ in range(layers):
        circuit.h(0)
        for qubit in range(n - 1):
            circuit.cx(qubit, qubit + 1)
        for qubit in range(n):
            circuit.ry(rng.uniform(0, np.pi), qubit)
    return circuit


def ising(n: int, steps: int, rng: np.random.Generator) -> QuantumCircuit:
    """Trotter steps of an Ising chain in a transverse field."""
    circuit = QuantumCircuit(n)
    angle, field = rng.uniform(0.2, 0.8, 2)
    for _ in range(steps):
        for start in (0, 1):
            for qubit in range(start, n - 1, 2):
                circuit.rzz(angle, qubit, qubit + 1)
        circuit.rx(field, range(n))
    return circuit


def brickwork(n: int, depth: int, rng: np.random.Generator) -> QuantumCircuit:
    """Random rotations and, in a brickwork, random two-axis interactions."""
    circuit = QuantumCircuit(n)
    for layer in range(depth):
        for qubit in range(n):
            circuit.u(*rng.uniform(0, np.pi, 3), qubit)
        for qubit in range(layer % 2, n - 1, 2):
            circuit.rzz(rng.uniform(0.2, 1.0), qubit, qubit + 1)
            circuit.rxx(rng.uniform(0.2, 1.0), qubit, qubit + 1)
    return circuit


PLACES = ((1, 1), (2, 1), (1, 2))
"""Workers, and cores of each; both cores of a small machine are used in turn side by side and
together."""

FAMILIES: dict[str, Callable[[int, int, np.random.Generator], QuantumCircuit]] = {
    "su2": su2,
    "qaoa": qaoa,
    "ghz": ghz,
    "ising": ising,
    "brickwork": brickwork,
    "vqe": vqe,
}

JOBS = (
    Job("su2", 8, 2, 300, (6, 4), 0.02),
    Job("su2", 16, 2, 1000, (12, 8), 0.05),
    Job("su2", 20, 2, 120, (14, 10), 0.05),
    Job("qaoa", 10, 1, 600, (7, 5), 0.03),
    Job("qaoa", 16, 1, 800, (12, 10), 0.1),
    Job("qaoa", 22, 1, 120, (15, 11), 0.06),
    Job("ghz", 12, 2, 1000, (8, 6), 0.02),
    Job("ghz", 18, 1, 800, (9, 6), 0.03),
    Job("ghz", 26, 1, 300, (13, 9), 0.03),
    Job("ising", 12, 3, 1000, (8, 6), 0.04),
    Job("ising", 18, 2, 800, (12, 9), 0.04),
    Job("ising", 24, 2, 150, (16, 12), 0.05),
    Job("brickwork", 10, 3, 600, (7, 6), 0.04),
    Job("brickwork", 16, 2, 800, (11, 8), 0.04),
    Job("brickwork", 21, 2, 150, (14, 11), 0.05),
    Job("vqe", 13, 2, 1000, (9, 7), 0.03),
    Job("vqe", 17, 2, 800, (12, 9), 0.04),
    Job("vqe", 21, 1, 150, (14, 11), 0.04),
    Job("su2", 24, 2, 30, (20, 18), 0.05),
    Job("qaoa", 23, 2, 40, (19, 17), 0.1),
    Job("ghz", 22, 2, 100, (18, 16), 0.05),
    Job("ising", 22, 3, 80, (19, 17), 0.06),
    Job("brickwork", 22, 3, 60, (18, 16), 0.08),
    Job("vqe", 23, 2, 40, (19, 17), 0.05),
)
"""Three sizes of each family, 8 to 26 qubits, with more observables where a state takes no time;
and one of those that take seconds, whose fragments are no small matter either."""


def ways(job: Job) -> tuple[list[Way], list[str]]:
    """Every way in which a job is run, and which others are left out and why."""
    found, left_out = [], []
    for width in (job.n, *job.widths):
        for mode in ("exact", "sampled"):
            state = WIDEST_WITH_FEW if job.strings <= FEW else WIDEST_STATE
            widest = state if mode == "exact" else WIDEST_SAMPLED
            if width > widest:
                left_out.append(f"{job.name}, width {width}, {mode}: wider than {widest} qubits")
                continue
            # Shots are drawn on one core.
            places = PLACES if mode == "exact" else PLACES[:2]
            found += [Way(job, width, mode, workers, cores) for workers, cores in places]
    return found, left_out


def halves(jobs: tuple[Job, ...], seed: int) -> tuple[set[str], set[str]]:
    """Names of the jobs to fit with and of those to test with, some of each family in both."""
    rng = np.random.default_rng(seed)
    fit: set[str] = set()
    for place, family in enumerate(FAMILIES):
        names = [job.name for job in jobs if job.family == family]
        more = len(names) // 2 + (len(names) % 2) * (place % 2)
        fit.update(rng.permutation(names)[:more].tolist())
    return fit, {job.name for job in jobs} - fit
