"""Dealing out tasks."""

import math

from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.dreamer.model.makespan import Share, list_schedule, play
from qdreamer_lab.workload.execution.pace import TASKS_PER_WORKER, Pace

shares = st.lists(
    st.builds(
        Share,
        items=st.integers(1, 60),
        work_each=st.floats(1e3, 1e12),
        seconds_each=st.floats(1e-6, 2.0),
        work_task=st.floats(0, 1e9),
        seconds_task=st.floats(0, 1.0),
    ),
    min_size=1,
    max_size=6,
)


@given(shares, st.integers(1, 5), st.booleans())
def test_makespan_lies_between_its_bounds(work, workers, ahead):
    played = play(work, workers, ahead=ahead)
    slack = 1 + 1e-9
    assert max(played.longest_s, played.busy_s / workers) <= played.makespan_s * slack
    assert played.makespan_s <= played.busy_s * slack
    assert all(1 <= n <= one.items for n, one in zip(played.tasks, work, strict=True))
    least = sum(one.items * one.seconds_each + one.seconds_task for one in work)
    assert played.busy_s >= least / slack


def plain_play(work, workers, *, ahead):
    """The same with everything looked for anew: who is free, of which share most is left."""
    pace, left, free = Pace(), [one.items for one in work], [0.0] * workers
    dealt, flying, clock = [0] * len(work), [], 0.0
    depth = TASKS_PER_WORKER * workers if ahead or workers > 1 else 1
    while any(left) or flying:
        while any(left) and len(flying) < depth:
            rest = [n * one.work_each for n, one in zip(left, work, strict=True)]
            place = max((k for k, n in enumerate(left) if n), key=lambda k: (rest[k], -k))
            one = work[place]
            size = pace.size(left[place], one.work_each, sum(rest), workers)
            left[place] -= size
            dealt[place] += 1
            seconds = one.seconds_task + size * one.seconds_each
            worker = free.index(min(free))
            free[worker] = max(clock, free[worker]) + seconds
            took = one.work_task + size * one.work_each
            flying.append((free[worker], sum(dealt), took, seconds))
        end, _, took, seconds = flying.pop(flying.index(min(flying)))
        clock = max(clock, end)
        pace.saw(took, seconds)
    return clock, tuple(dealt)


@given(shares, st.integers(1, 5), st.booleans())
def test_the_heaviest_goes_first_to_whoever_is_free_first(work, workers, ahead):
    played = play(work, workers, ahead=ahead)
    assert (played.makespan_s, played.tasks) == plain_play(work, workers, ahead=ahead)


@given(shares)
def test_one_worker_is_never_idle(work):
    played = play(work, 1)
    assert math.isclose(played.makespan_s, played.busy_s, rel_tol=1e-9)


@given(st.lists(st.floats(0, 10), max_size=12), st.integers(1, 4))
def test_list_schedule_is_within_graham_s_bound(seconds, workers):
    found = list_schedule(sorted(seconds, reverse=True), workers)
    lower = max([sum(seconds) / workers, *seconds])
    assert lower <= found + 1e-9
    assert found <= (4 / 3) * lower + max(seconds, default=0) + 1e-9


def test_nothing_takes_no_time():
    assert play([], 2).makespan_s == 0
