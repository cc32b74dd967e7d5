"""The nearest distribution is nearest, and counts keep proportions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from qdreamer_lab.workload.outcomes.nearest import nearest_counts, nearest_distribution

NUMBERS = st.lists(st.floats(-1, 1), min_size=1, max_size=12)


@given(NUMBERS)
def test_it_is_a_distribution_and_no_step_within_the_simplex_comes_nearer(numbers):
    quasi = np.array(numbers)
    found = nearest_distribution(quasi)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    # Optimal for a convex problem: no direction towards a corner of the simplex is downhill.
    downhill = found - quasi
    assert (downhill @ found - downhill <= 1e-9).all()


def test_it_agrees_with_a_general_solver():
    quasi = np.array([0.5, -0.2, 0.4, 0.3, -0.05])
    solved = minimize(
        lambda x: np.square(x - quasi).sum(),
        np.full(5, 0.2),
        bounds=[(0, 1)] * 5,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        tol=1e-12,
    )
    np.testing.assert_allclose(nearest_distribution(quasi), solved.x, atol=1e-6)


def test_a_distribution_is_its_own():
    given_one = np.array([0.25, 0.0, 0.75])
    assert nearest_distribution(given_one).tolist() == given_one.tolist()


@given(NUMBERS, st.integers(1, 1000))
def test_counts_add_up_and_are_off_by_less_than_one(numbers, shots):
    probabilities = nearest_distribution(np.array(numbers))
    counts = nearest_counts(probabilities, shots)
    assert counts.sum() == shots
    assert (np.abs(counts - shots * probabilities) < 1 + 1e-9).all()
