"""Sets of moments, against counting moments one by one."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.sessions.reports.intervals import clipped, common, length, union, without

_SPAN = st.tuples(st.integers(0, 30), st.integers(0, 30))
_SPANS = st.lists(_SPAN, max_size=8)


def moments(spans):
    return {at for begin, end in spans for at in range(begin, end)}


def is_tidy(spans):
    return all(begin < end for begin, end in spans) and all(
        one[1] < other[0] for one, other in itertools.pairwise(spans)
    )


@given(_SPANS)
def test_a_union_has_all_moments_once(spans):
    found = union(spans)
    assert is_tidy(found)
    assert moments(found) == moments(spans)
    assert length(found) == len(moments(spans))


@given(_SPANS, _SPANS, _SPAN)
def test_what_sets_have_in_common(one, other, window):
    found = common(union(one), union(other))
    assert moments(found) == moments(one) & moments(other)
    assert common(union(other), union(one)) == found
    left = without(union(one), union(other))
    assert moments(left) == moments(one) - moments(other)
    assert all(begin < end for begin, end in left)
    assert moments(clipped(union(one), *window)) == moments(one) & moments([window])
