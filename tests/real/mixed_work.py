"""Work of many kinds at once, each piece with a check of its own that knows the right answer."""

import hashlib
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector

from tests.circuits.plain import ghz, measured

LARGE = 60_000  # float64: more than travels with the news of a task
SHOTS = 400
QUBITS = 4
OBSERVABLES = ("ZZII", "XXXX", "ZIIZ")
DIM = 24


@dataclass(frozen=True)
class Piece:
    """A piece of work under way.

    Attributes:
        kind: What it is.
        tasks: Its tasks; the last one has the answer.
        wrong: What is wrong with an answer; None if nothing is.
    """

    kind: str
    tasks: tuple[Any, ...]
    wrong: Callable[[Any], str | None]

    @property
    def task(self) -> Any:
        """The task with the answer."""
        return self.tasks[-1]


def digest(number: int, rounds: int, pad_s: float = 0.0) -> str:
    """A chain of hashes: a few milliseconds of a core, and more of waiting."""
    time.sleep(pad_s)
    text = str(number).encode()
    for _ in range(rounds):
        text = hashlib.sha256(text).digest()
    return text.hex()


def grown(number: int) -> np.ndarray:
    """A large array, which another task sums up."""
    return np.arange(LARGE, dtype=float) + number


def total(values: np.ndarray, factor: int, pad_s: float = 0.0) -> float:
    """The sum of what another task has made, elsewhere perhaps."""
    time.sleep(pad_s)
    return float(values.sum()) * factor


def spectrum(seed: int, pad_s: float = 0.0) -> np.ndarray:
    """Eigenvalues of a random matrix."""
    time.sleep(pad_s)
    matrix = np.random.default_rng(seed).normal(size=(DIM, DIM))
    return np.linalg.eigvalsh(matrix + matrix.T)


def pause(seconds: float) -> tuple[float, int]:
    """Something that waits for something else."""
    time.sleep(seconds)
    return seconds, os.getpid()


def _sum(number: int) -> float:
    return 3.0 * float((np.arange(LARGE, dtype=float) + number).sum())


def _unless(right: bool, told: Any) -> str | None:
    return None if right else repr(told)


class Mixture:
    """Submits pieces of mixed kinds.

    Args:
        session: Where.
        seed: What they are made from; the same pieces for the same seed.
        device: Where shots on a device go.
        pad_s: How much longer classical pieces take than they have to.
    """

    def __init__(self, session: Any, seed: int, device: str = "qpu", pad_s: float = 0.0) -> None:
        self.session = session
        self.device = device
        self.pad_s = pad_s
        self._rng = random.Random(seed)
        self._ansatz = efficient_su2(QUBITS, reps=1)
        self._ghz = measured(ghz(QUBITS))
        self._kinds = (
            *((self._digest, 4), (self._total, 2), (self._spectrum, 2), (self._pause, 2)),
            *((self._values, 2), (self._counts, 2), (self._shots, 3)),
        )

    def submit(self) -> Piece:
        """Submit one more piece, of a kind that is drawn."""
        makers, weights = zip(*self._kinds, strict=True)
        (make,) = self._rng.choices(makers, weights)
        return make(self._rng.randrange(10**6))

    def _digest(self, number: int) -> Piece:
        task = self.session.submit(digest, number, 3000, self.pad_s)
        return Piece("digest", (task,), lambda told: _unless(told == digest(number, 3000), told))

    def _total(self, number: int) -> Piece:
        made = self.session.submit(grown, number)
        task = self.session.submit(total, made, 3, self.pad_s)
        return Piece("total", (made, task), lambda told: _unless(told == _sum(number), told))

    def _spectrum(self, number: int) -> Piece:
        task = self.session.submit(spectrum, number, self.pad_s)

        def wrong(told: np.ndarray) -> str | None:
            return _unless(np.allclose(told, spectrum(number), atol=1e-9), told)

        return Piece("spectrum", (task,), wrong)

    def _pause(self, number: int) -> Piece:
        seconds = 0.02 + number % 10 / 100 + self.pad_s
        task = self.session.submit(pause, seconds)
        return Piece("pause", (task,), lambda told: _unless(told[0] == seconds, told))

    def _values(self, number: int) -> Piece:
        """Expectation values, exact: NumPy's are the oracle."""
        angles = np.random.default_rng(number).uniform(0, 2 * np.pi, self._ansatz.num_parameters)
        bound = self._ansatz.assign_parameters(angles)
        task = self.session.run((bound, list(OBSERVABLES)))

        def wrong(told: Any) -> str | None:
            state = Statevector(bound)
            wanted = [state.expectation_value(SparsePauliOp(each)).real for each in OBSERVABLES]
            return _unless(np.allclose(told[0].data.evs, wanted, atol=1e-9), told[0].data.evs)

        return Piece("values", (task,), wrong)

    def _counts(self, number: int) -> Piece:
        """Shots of an ideal GHZ state: all or nothing, in about equal parts."""
        task = self.session.run(self._ghz, shots=SHOTS, seed=number)

        def wrong(told: Any) -> str | None:
            counts = told[0].data.meas.get_counts()
            even = abs(counts.get("0" * QUBITS, 0) - SHOTS / 2) < 6 * SHOTS**0.5 / 2
            only = set(counts) <= {"0" * QUBITS, "1" * QUBITS}
            return _unless(even and only and sum(counts.values()) == SHOTS, counts)

        return Piece("counts", (task,), wrong)

    def _shots(self, number: int) -> Piece:
        """Shots on a device with noise: mostly all or nothing."""
        task = self.session.run(self._ghz, shots=SHOTS, seed=number, on=self.device)

        def wrong(told: Any) -> str | None:
            counts = told[0].data.meas.get_counts()
            right = counts.get("0" * QUBITS, 0) + counts.get("1" * QUBITS, 0)
            return _unless(sum(counts.values()) == SHOTS and right > 0.6 * SHOTS, counts)

        return Piece("shots", (task,), wrong)
