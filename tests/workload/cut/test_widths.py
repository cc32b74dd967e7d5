"""What users may say of widths, and what they are told if it makes no sense."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.errors import PlanError
from qdreamer_lab.workload.cut.options import SearchOptions
from qdreamer_lab.workload.cut.widths import check_width, read_devices


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.randoms())
def test_the_order_and_the_form_make_no_difference(widths, random):
    descending = tuple(sorted(widths, reverse=True))
    shuffled = list(widths)
    random.shuffle(shuffled)
    counts = {width: widths.count(width) for width in shuffled}
    for form in (shuffled, tuple(shuffled), np.array(shuffled), counts):
        assert read_devices(form) == (descending[0], descending)


def test_one_number_is_any_number_of_fragments():
    assert read_devices(7) == read_devices(np.int64(7)) == (7, None)
    assert read_devices([7]) == (7, (7,))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0, "max_qubits must be at least 1, got 0"),
        (True, "must be an integer, or a list of the widths"),
        (2.0, "must be an integer, or a list of the widths"),
        ("27", "must be an integer, or a list of the widths"),
        (None, "must be an integer, or a list of the widths"),
        ({27, 16}, "must be an integer, or a list of the widths"),
        (np.ones((2, 2), int), "must be an integer, or a list of the widths"),
        ([], "names no device"),
        ({}, "names no device"),
        ([3, 0], r"max_qubits\[1\] must be at least 1, got 0"),
        ([3, -2], r"max_qubits\[1\] must be at least 1, got -2"),
        ([3, 2.5], r"max_qubits\[1\] must be an integer, got 2.5"),
        ([True], r"max_qubits\[0\] must be an integer, got True"),
        ([[3]], r"max_qubits\[0\] must be an integer"),
        ({0: 1}, "a width in max_qubits must be at least 1"),
        ({"27": 1}, "a width in max_qubits must be an integer, got '27'"),
        ({27: 0}, r"max_qubits\[27\], the number of devices, must be at least 1"),
        ({27: 1.5}, r"max_qubits\[27\], the number of devices, must be an integer"),
        ({2: 10**12}, "names 1,000,000,000,000 devices, more than 10,000"),
    ],
)
def test_nonsense_is_told_apart(given, said):
    with pytest.raises(PlanError, match=said):
        read_devices(given)


@pytest.mark.parametrize("given", [[3, 2], (3, 2), {3: 2}, np.array([3, 2])])
def test_several_widths_where_one_is_asked_for_are_told_where_they_belong(given):
    with pytest.raises(PlanError, match=r"must be an integer, got .*CutEstimator and find_cuts"):
        check_width(given)


def test_more_fragments_than_devices_are_refused():
    with pytest.raises(PlanError, match=r"max_fragments=4, .*: 3, each for one .* name 4 devices"):
        SearchOptions(max_fragments=4, devices=(5, 5, 2))
    assert SearchOptions(max_fragments=3, devices=(5, 5, 2)).devices == (5, 5, 2)
