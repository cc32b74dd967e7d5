"""The exhaustive search by itself."""

from __future__ import annotations

import pytest

from qdreamer_lab.search.exhaustive import search_exhaustively
from qdreamer_lab.search.finder import search
from tests.search.small_problems import ladder


def test_the_exhaustive_search_agrees_with_the_sweep() -> None:
    problem = ladder(3, 4)
    _, value, complete = search_exhaustively(problem, "lo")
    assert complete
    assert value == pytest.approx(search(problem, time_limit_s=600.0).log2_overhead)
    labels, value, complete = search_exhaustively(problem, "lo", value)
    assert labels is None
    assert complete
