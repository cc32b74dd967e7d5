"""When workers leave before their jobs end: arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.resource.agent.walltime import Stage, margin_s, stage


@pytest.mark.parametrize(
    ("length_s", "margin"), [(60, 20), (90, 30), (600, 30), (3600, 180), (86400, 300)]
)
def test_the_margin_grows_with_the_walltime_within_bounds(length_s, margin):
    assert margin_s(length_s) == margin


@given(st.floats(1, 10**6))
def test_a_worker_works_for_a_third_of_its_time_at_least(length_s):
    assert stage(length_s, length_s, 0.0) in (Stage.WORKS,)
    assert stage(length_s, length_s, 0.33 * length_s) is Stage.WORKS
    assert margin_s(length_s) <= length_s / 3


@given(st.floats(1, 10**6), st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_stages_follow_each_other(length_s, shares):
    stages = [stage(length_s, length_s, share * length_s) for share in sorted(shares)]
    assert stages == sorted(stages)
    assert stage(length_s, length_s, length_s) is Stage.OVER
