"""Selection against sorting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.kernels.sweep.selection import value_at

NUMBERS = st.lists(st.floats(allow_nan=False), min_size=1, max_size=60)
FEW_VALUES = st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.5, np.inf]), min_size=1, max_size=60)


@given(NUMBERS | FEW_VALUES | NUMBERS.map(sorted), st.integers(0, 59))
def test_it_is_what_sorting_would_put_there(values, place):
    place %= len(values)
    given_ = np.array(values, np.float64)
    before = given_.copy()
    assert value_at(given_, place) == np.sort(given_)[place]
    np.testing.assert_array_equal(given_, before)


def test_of_many_values_with_ties():
    rng = np.random.default_rng(5)
    ties = rng.integers(0, 4, 5000).astype(float)
    for values in (rng.normal(size=5000), ties, np.arange(5000.0)):
        for place in (0, 1, 2499, 4998, 4999):
            assert value_at(values, place) == np.sort(values)[place]
