"""Versions that differ are named with both sides."""

import sys

from pilot_kernel.resource.versions import differences, here


def test_this_process_agrees_with_itself():
    assert differences(here(), here()) == ""
    assert here()["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert all(here().values())


def test_what_differs_is_named_with_both_sides():
    theirs = {**here(), "python": "3.9", "dask": ""}
    assert differences(here(), theirs) == (
        f"python is {here()['python']} here and 3.9 there, "
        f"dask is {here()['dask']} here and missing there"
    )
    assert "distributed is 1 here and missing there" in differences({"distributed": "1"}, {})


def test_more_patches_of_python_are_no_difference():
    """Pickles and byte code are the same between those: only the first two numbers count."""
    assert here()["python"].count(".") == 1
    assert differences({**here(), "numpy": "1"}, here()) == ""
