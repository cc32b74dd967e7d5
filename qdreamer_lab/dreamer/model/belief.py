"""Bayesian updating of coefficients, in logarithms, from what work really took.

The logarithm of every coefficient has a mean and the coefficients a covariance. A measured time is
a sum of counts times coefficients, give or take a factor. One update is an iterated Kalman filter
step; a batch of them is the calibration. Arithmetic on plain arrays only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.execution.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Z80", "Belief", "calibrated", "check_seconds"]

Z80 = 1.2816
"""Standard deviations to either side that hold 80 % of a normal distribution."""

_FORGETTING = 4e-4
"""Variance of a logarithm that each observation adds: machines change by and by (2 % a run)."""

_DRIFT = 1e-4
"""The same for the speed of the machine as a whole, which other people's work changes (1 %)."""

_MOST_DRIFT = 0.04
"""After a surprise the drift is believed to be greater, up to this."""

_MOST_VARIANCE = 1.0
"""Variance of a logarithm is forgotten up to here: a factor of e either way."""

_CLIP = 3.0
"""An observation further off than so many standard deviations counts as if it were that far."""

_JITTER_S = 3e-4
"""What the clock and the system add to any time, about."""

_SURPRISING = 2.0
"""Errors over so many spreads widen the spread no more: rather, coefficients are wrong."""

_KEPT = 0.92
"""What that leaves of the variance of a normal distribution."""

_SPREAD_MEMORY = 0.9
"""Weight of what was known when the spread of a phase is updated."""

_FIRST_SPREAD = 0.2
_LEAST_SPREAD = 0.03
_STEPS = 6


@dataclass(frozen=True, eq=False, slots=True)
class Belief:
    """What is believed of the coefficients.

    Attributes:
        values: (k,) nanoseconds per count, positive.
        covariance: (k, k) of their logarithms.
        spreads: (phases,) standard deviation of the logarithm of a time around its prediction.
        tied: (k,) 1 for coefficients that follow the speed of the machine as a whole, else 0.
        observations: How many have been taken in.
    """

    values: NDArray[np.float64]
    covariance: NDArray[np.float64]
    spreads: NDArray[np.float64]
    tied: NDArray[np.float64]
    observations: int = 0

    @classmethod
    def starting(
        cls,
        values: NDArray[np.float64],
        phases: int,
        *,
        alone: float,
        together: float,
        tied: NDArray[np.float64] | None = None,
    ) -> Belief:
        """Coefficients that are known to within factors.

        Args:
            values: (k,) nanoseconds per count.
            phases: How many phases have a spread.
            alone: Standard deviation of each logarithm by itself.
            together: Of a factor that all `tied` ones share.
            tied: As in `Belief`; all by default.
        """
        tied = np.ones(len(values)) if tied is None else tied
        start = np.eye(len(values)) * alone**2 + together**2 * np.outer(tied, tied)
        return cls(values.copy(), start, np.full(phases, _FIRST_SPREAD), tied)

    def seconds(self, counts: NDArray[np.float64]) -> float:
        """Predicted time."""
        return float(counts @ self.values) * 1e-9

    def variance(self, counts: NDArray[np.float64]) -> float:
        """Variance of the logarithm of the predicted time, from what is not known."""
        parts = counts * self.values
        total = parts.sum()
        if total <= 0:
            return 0.0
        share = parts / total
        return float(share @ self.covariance @ share)

    def observed(self, phase: int, counts: NDArray[np.float64], seconds: float) -> Belief:
        """After a measurement.

        Args:
            phase: Number of the phase, for its spread.
            counts: What was done.
            seconds: How long it took.

        Raises:
            QDreamerError: If that is no time.
        """
        check_seconds("time", seconds)
        if not (counts > 0).any():
            return self
        noise = self.spreads[phase] ** 2 + (_JITTER_S / seconds) ** 2
        off = math.log(seconds / self.seconds(counts))
        expected = self.variance(counts) + noise
        allowed = _CLIP * math.sqrt(expected)
        covariance = self._forgotten(counts, off * off / expected)
        target = math.log(self.seconds(counts)) + float(np.clip(off, -allowed, allowed))
        shift, share, gain = np.zeros(len(self.values)), np.zeros(0), np.zeros(0)
        for _ in range(_STEPS):  # the sum is not linear in the logarithms
            parts = counts * self.values * np.exp(shift)
            share = parts / parts.sum()
            gain = covariance @ share / (share @ covariance @ share + noise)
            found = math.log(parts.sum() * 1e-9)
            shift = gain * (target - found + share @ shift)
        covariance = covariance - np.outer(gain, share @ covariance)
        spreads = self.spreads.copy()
        spreads[phase] = self._spread(phase, counts, off, seconds)
        return replace(
            self,
            values=self.values * np.exp(shift),
            covariance=(covariance + covariance.T) / 2,
            spreads=spreads,
            observations=self.observations + 1,
        )

    def _forgotten(self, counts: NDArray[np.float64], surprise: float) -> NDArray[np.float64]:
        """The covariance with what may have changed since the last observation."""
        room = np.maximum(0.0, _MOST_VARIANCE - np.diag(self.covariance))
        more = max(1.0, surprise)
        alone = np.minimum(min(_MOST_DRIFT, _FORGETTING * more * more), room) * (counts > 0)
        drift = min(_MOST_DRIFT, _DRIFT * more, float(room.min()))
        return np.asarray(self.covariance + np.diag(alone) + drift * np.outer(self.tied, self.tied))

    def _spread(self, phase: int, counts: NDArray[np.float64], off: float, seconds: float) -> float:
        """The spread of a phase after a time that was off by so much; outliers count less."""
        before = float(self.spreads[phase])
        known = self.variance(counts) + (_JITTER_S / seconds) ** 2
        # The part of the error that the coefficients' own doubt does not explain.
        part = (
            min(off * off, (_SURPRISING * before) ** 2 + known)
            * before**2
            / (before**2 + known)
            / _KEPT
        )
        after = _SPREAD_MEMORY * before**2 + (1 - _SPREAD_MEMORY) * part
        return max(_LEAST_SPREAD, math.sqrt(after))


def check_seconds(name: str, seconds: object) -> None:
    """Refuse what cannot be a time.

    Raises:
        QDreamerError: If it is no finite number above zero.
    """
    real = isinstance(seconds, (int, float, np.floating)) and not isinstance(seconds, bool)
    if not real or not math.isfinite(float(seconds)) or float(seconds) <= 0:  # type: ignore[arg-type]
        raise QDreamerError(f"{name}={seconds!r} is impossible: seconds above zero are wanted")


def calibrated(
    start: Belief, counts: NDArray[np.float64], seconds: NDArray[np.float64], deviation: float
) -> Belief:
    """The belief after many measurements at once: the most likely coefficients.

    Args:
        start: What was believed before.
        counts: (m, k) what was done in each.
        seconds: (m,) how long each took.
        deviation: Of the logarithm of a time.

    Raises:
        QDreamerError: If a time is impossible.
    """
    from scipy.optimize import least_squares

    for took in seconds.tolist():
        check_seconds("a probe's time", took)
    noise = np.sqrt(deviation**2 + (_JITTER_S / 10 / seconds) ** 2)
    root = np.linalg.cholesky(np.linalg.inv(start.covariance)).T

    def parts(shift: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(counts * (start.values * np.exp(shift)) * 1e-9)

    def residuals(shift: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.log(parts(shift).sum(axis=1) / seconds) / noise
        return np.concatenate([found, root @ shift])

    def jacobian(shift: NDArray[np.float64]) -> NDArray[np.float64]:
        each = parts(shift)
        share = each / each.sum(axis=1, keepdims=True)
        return np.concatenate([share / noise[:, None], root])

    zero = np.zeros(len(start.values))
    with one_thread():
        solution = least_squares(residuals, zero, jacobian, loss="soft_l1", f_scale=3.0)
    slope = jacobian(solution.x)
    covariance = np.linalg.inv(slope.T @ slope)
    return replace(
        start, values=start.values * np.exp(solution.x), covariance=(covariance + covariance.T) / 2
    )
