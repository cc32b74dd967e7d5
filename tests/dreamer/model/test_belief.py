"""Coefficients learned from times."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.model.belief import Belief, calibrated, check_seconds
from qdreamer_lab.errors import QDreamerError

TRUTH = np.array([2.0, 30.0, 5e4])


def believed(values):
    return Belief.starting(values, 1, alone=0.5, together=0.3)


def work(rng):
    """Counts of some run: now this, now that takes most of its time."""
    return 10 ** rng.uniform(-1, 1, 3) / TRUTH * 1e8


@pytest.mark.parametrize("factors", [(3, 3, 3), (1 / 3, 1 / 3, 1 / 3), (3, 1 / 3, 3)])
def test_a_start_that_is_three_times_off_is_right_after_twenty_runs(factors):
    rng = np.random.default_rng(1)
    belief = believed(TRUTH * np.array(factors))
    for _ in range(20):
        counts = work(rng)
        belief = belief.observed(0, counts, counts @ TRUTH * 1e-9 * math.exp(0.05 * rng.normal()))
    errors = []
    for _ in range(50):
        counts = work(rng)
        errors.append(abs(math.log(belief.seconds(counts) / (counts @ TRUTH * 1e-9))))
    assert np.median(errors) < 0.12
    assert belief.observations == 20


def test_an_outlier_moves_little():
    rng = np.random.default_rng(2)
    belief = believed(TRUTH)
    for _ in range(20):
        counts = work(rng)
        belief = belief.observed(0, counts, counts @ TRUTH * 1e-9)
    counts = work(rng)
    after = belief.observed(0, counts, 100 * counts @ TRUTH * 1e-9)
    assert 1 <= after.seconds(counts) / belief.seconds(counts) < 1.7


def test_spread_follows_the_noise_and_forgets():
    rng = np.random.default_rng(3)
    belief = believed(TRUTH)
    for noise in (0.3, 0.03):
        for _ in range(60):
            counts = work(rng)
            seconds = counts @ TRUTH * 1e-9 * math.exp(noise * rng.normal())
            belief = belief.observed(0, counts, seconds)
        assert noise / 2 < belief.spreads[0] < 2 * noise


def test_a_machine_that_changes_is_followed():
    rng = np.random.default_rng(4)
    belief = believed(TRUTH)
    for speed in (1.0, 2.0):
        for _ in range(60):
            counts = work(rng)
            belief = belief.observed(0, counts, speed * counts @ TRUTH * 1e-9)
    counts = work(rng)
    assert belief.seconds(counts) == pytest.approx(2 * counts @ TRUTH * 1e-9, rel=0.15)


@given(st.integers(0, 2**32))
def test_covariance_stays_one(seed):
    rng = np.random.default_rng(seed)
    belief = believed(TRUTH)
    for _ in range(10):
        counts = work(rng) * rng.integers(0, 2, 3)
        belief = belief.observed(0, counts, 10 ** rng.uniform(-4, 2))
    assert np.linalg.eigvalsh(belief.covariance).min() > -1e-12
    assert (belief.values > 0).all()
    assert np.isfinite(belief.values).all()


def test_calibration_finds_the_coefficients():
    rng = np.random.default_rng(5)
    counts = np.array([work(rng) for _ in range(30)])
    seconds = counts @ TRUTH * 1e-9 * np.exp(0.02 * rng.normal(size=30))
    seconds[3] *= 40  # something came between
    belief = calibrated(believed(TRUTH * [3, 0.5, 2]), counts, seconds, 0.05)
    assert belief.values == pytest.approx(TRUTH, rel=0.1)
    assert (np.sqrt(np.diag(belief.covariance)) < 0.1).all()


@pytest.mark.parametrize("seconds", [0, -1.0, math.nan, math.inf, "1", None, True])
def test_impossible_times_are_refused(seconds):
    with pytest.raises(QDreamerError, match="impossible"):
        check_seconds("execute_s", seconds)
    with pytest.raises(QDreamerError, match="impossible"):
        believed(TRUTH).observed(0, TRUTH, seconds)
