"""The published speedup model, as the baseline to compare with and for the paper's numbers.

Two parameters, arithmetic only: it knows no machine and no plan. The model of this package, which
recommendations rest on, is not this one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import QDreamerError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PowerLawModel", "SpeedupRow", "rounds"]


@dataclass(frozen=True, slots=True)
class SpeedupRow:
    """A circuit that was run both uncut and cut.

    Attributes:
        n: Qubits of the circuit.
        n_sub: Qubits of the widest fragment.
        tasks: Circuits that the cut run consists of.
        workers: How many ran them.
        speedup: Seconds uncut over seconds cut.

    Raises:
        QDreamerError: Naming the number that makes no sense.
    """

    n: int
    n_sub: int
    tasks: int
    workers: int
    speedup: float

    def __post_init__(self) -> None:
        _check_sizes(self.n, self.n_sub)
        rounds(self.tasks, self.workers)
        _check_positive("speedup", self.speedup)


@dataclass(frozen=True, slots=True)
class PowerLawModel:
    """Speedup of a cut run over the uncut one, by a power law in the rounds of tasks.

        R = ceil(tasks / workers),  η(R) = η_max / R^p,  S = 2^(n - n_sub) · η(R) / R

    Source: "Hybrid Quantum-HPC Middleware Systems for Adaptive Resource, Workload and Task
    Management", arXiv 2604.03445, which reports up to 82 % accuracy; the defaults are its fit.

    Known faults, kept so that its numbers can be reproduced:

    - Its calibration counts 9^k tasks for k cuts, while its optimizer counts actual ones. Here
      `tasks` is what the caller counts, and a fit means the same as what is predicted with it.
    - There is no term for reconstruction, memory, communication or wire cuts.
    - It is not continuous at zero cuts: a run without cuts, n_sub = n in one task, is predicted a
      speedup of η_max rather than 1.
    - The gain 2^(n - n_sub) holds only where time is proportional to the size of the state.

    Its optimizer also considers no fragments below 10 qubits and replaces a search that failed by
    a guess; those are no part of the model, and are not done here.

    Args:
        eta_max: Efficiency of a single round; no unit.
        p: How it falls with the number of rounds; no unit.

    Raises:
        QDreamerError: If `eta_max` is not positive or `p` not finite.
    """

    eta_max: float = 0.0008
    p: float = 0.3233

    def __post_init__(self) -> None:
        _check_positive("eta_max", self.eta_max)
        if isinstance(self.p, bool) or not isinstance(self.p, (int, float, np.floating)):
            raise QDreamerError(f"p={self.p!r}: a number")
        if not math.isfinite(self.p):
            raise QDreamerError(f"p={self.p!r}: must be finite")

    @classmethod
    def fit(cls, rows: Iterable[SpeedupRow]) -> PowerLawModel:
        """Least squares in log space, as the paper does.

        log(S · R / 2^(n - n_sub)) = log η_max - p · log R is linear in log η_max and p.

        Raises:
            QDreamerError: If the rows do not determine two parameters: there must be two different
                numbers of rounds among them.
        """
        given = list(rows)
        turns = np.array([rounds(row.tasks, row.workers) for row in given], dtype=np.float64)
        if np.unique(turns).size < 2:
            raise QDreamerError(
                f"{len(given)} rows with {np.unique(turns).size} different numbers of rounds "
                "ceil(tasks / workers): two different ones are needed to fit a power law"
            )
        gain = np.array([(row.n - row.n_sub) * math.log(2) for row in given])
        seen = np.log([row.speedup for row in given])
        left = np.column_stack([np.ones_like(turns), -np.log(turns)])
        (log_eta, p), *_ = np.linalg.lstsq(left, seen + np.log(turns) - gain, rcond=None)
        return cls(math.exp(log_eta), float(p))

    def efficiency(self, tasks: int, workers: int) -> float:
        """η(R), the share of the ideal speedup that is left; no unit."""
        return float(self.eta_max / rounds(tasks, workers) ** self.p)

    def speedup(self, n: int, n_sub: int, tasks: int, workers: int) -> float:
        """S, seconds uncut over seconds cut.

        Args:
            n: Qubits of the circuit.
            n_sub: Qubits of the widest fragment.
            tasks: Circuits that the cut run consists of.
            workers: How many run them.

        Raises:
            QDreamerError: Naming the number that makes no sense.
        """
        _check_sizes(n, n_sub)
        gain = math.ldexp(1.0, n - n_sub)
        return gain * self.efficiency(tasks, workers) / rounds(tasks, workers)

    def makespan(self, uncut_s: float, n: int, n_sub: int, tasks: int, workers: int) -> float:
        """Seconds that the cut run takes where the uncut one takes `uncut_s` seconds.

        Raises:
            QDreamerError: Naming the number that makes no sense.
        """
        _check_positive("uncut_s", uncut_s)
        return uncut_s / self.speedup(n, n_sub, tasks, workers)


def rounds(tasks: int, workers: int) -> int:
    """R = ceil(tasks / workers): how often the busiest worker is given a task.

    Raises:
        QDreamerError: If either is not a whole number of at least 1.
    """
    for name, value in (("tasks", tasks), ("workers", workers)):
        _check_count(name, value)
    return -(-tasks // workers)


def _check_sizes(n: int, n_sub: int) -> None:
    for name, value in (("n", n), ("n_sub", n_sub)):
        _check_count(name, value)
    if n_sub > n:
        raise QDreamerError(f"n_sub={n_sub}: no fragment is wider than the circuit (n={n})")


def _check_count(name: str, value: object) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < 1:  # type: ignore[operator]
        raise QDreamerError(f"{name}={value!r}: a whole number of at least 1")


def _check_positive(name: str, value: object) -> None:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 < value < math.inf:  # type: ignore[operator]
        raise QDreamerError(f"{name}={value!r}: a positive, finite number")
