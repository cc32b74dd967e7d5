"""The flag that tells kernels to stop: it goes up in time, and stops what runs without the GIL."""

from __future__ import annotations

import threading
import time

import numpy as np

from qdreamer_lab.kernels.sweep.sweep import Effort, sweep
from qdreamer_lab.search.alarm import alarm
from qdreamer_lab.search.finder import make_ready
from qdreamer_lab.search.strategies.piece_graph import piece_graph
from tests.search.hard_problems import dense


def test_an_alarm_for_the_past_is_up_at_once_and_a_timer_is_not_left_behind() -> None:
    before = _timers()  # others may have some, which go off meanwhile
    with alarm(time.perf_counter() - 1) as flag:
        assert flag[0] == 1
        assert _timers() <= before
    with alarm(time.perf_counter() + 1000) as flag:
        assert flag[0] == 0
        assert not _timers() <= before
    assert _timers() <= before


def _timers() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if isinstance(each, threading.Timer)}


def test_an_alarm_stops_a_sweep_that_would_not_end_and_its_bound_still_holds() -> None:
    make_ready("lo")
    problem = dense(14, 400, 7)
    graph = piece_graph(problem)
    with alarm(time.perf_counter() + 0.2) as flag:
        effort = Effort(10**5, 10**15, 0, flag)
        labels, cost, bound, _ = sweep(graph.order, graph.pieces, 7, 1e5, effort)
        assert flag[0] == 1
    assert np.all(labels == -1)
    assert 0.0 <= bound < cost == 1e5
