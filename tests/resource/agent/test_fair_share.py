"""Accounts of workloads, without any scheduler."""

import heapq

from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_kernel.resource.agent.fair_share import FairShare


def serve(share, queues, workers, until):
    """Play tasks through: `queues` are lists of (arrival, durations) by workload.

    Returns:
        The worker-seconds that each workload has had by `until`, and (workload, began, ended).
    """
    waiting = {name: [] for name in queues}
    arrivals = sorted((at, name, lengths) for name, (at, lengths) in queues.items())
    busy, free, now, runs, number = [], workers, 0.0, [], 0
    while now < until:
        while arrivals and arrivals[0][0] <= now:
            _, name, lengths = arrivals.pop(0)
            waiting[name] = list(lengths)
            share.begin(name, now)
        while free and any(waiting.values()):
            there = [name for name, left in waiting.items() if left]
            name = min(there, key=lambda each: share.position(each, now))
            length = waiting[name].pop(0)
            if not waiting[name]:
                share.end(name)
            number += 1
            share.hand_out(name, f"t{number}", 0.5, now)
            heapq.heappush(busy, (now + length, f"t{number}", length))
            runs.append((name, now, now + length))
            free -= 1
        times = [busy[0][0]] if busy else []
        times += [arrivals[0][0]] if arrivals else []
        if not times:
            break
        now = min(times)
        while busy and busy[0][0] <= now:
            _, task, length = heapq.heappop(busy)
            share.take_back(task, length)
            free += 1
    had = dict.fromkeys(queues, 0.0)
    for name, began, ended in runs:
        had[name] += max(0.0, min(ended, until) - min(began, until))
    return had, runs


def test_one_that_comes_late_is_not_behind_all_that_came_before():
    queues = {"many": (0.0, [1.0] * 2_000), "few": (100.5, [1.0] * 10)}
    _, runs = serve(FairShare(), queues, workers=2, until=200.0)
    last = max(ended for name, _, ended in runs if name == "few")
    assert last <= 100.5 + 1 + 10 + 2  # half of two workers, once one is free


def test_equal_time_not_equal_numbers():
    queues = {"long": (0.0, [4.0] * 200), "short": (0.0, [0.5] * 1600)}
    had, _ = serve(FairShare(), queues, workers=4, until=100.0)
    assert abs(had["long"] - had["short"]) < 0.05 * 400


def test_nobody_is_owed_for_the_time_in_which_it_wanted_nothing():
    share = FairShare()
    share.begin("a", 0.0)
    for number in range(100):
        share.hand_out("a", f"a{number}", 1.0, float(number))
        share.take_back(f"a{number}", 1.0)
    share.end("a")
    share.begin("b", 100.0)
    assert share.position("b", 100.0) >= 99.0 - 1e-9
    share.begin("a", 100.0)
    assert share.position("a", 100.0) - share.position("b", 100.0) <= 1.0 + 1e-9


def test_what_runs_counts_while_it_runs():
    share = FairShare()
    share.begin("a", 0.0)
    share.begin("b", 0.0)
    share.hand_out("a", "a1", 0.5, 0.0)
    share.hand_out("b", "b1", 0.5, 0.0)
    share.take_back("b1", 0.1)
    assert share.position("a", 0.1) > share.position("b", 0.1)
    assert share.position("a", 30.0) == 30.0


def test_what_was_sent_ahead_does_not_count_while_it_waits_there():
    """However long that is: else whoever comes then would begin far behind."""
    share = FairShare()
    share.begin("many", 0.0)
    for number in range(50):
        share.hand_out("many", f"m{number}", 0.01, 0.0, ahead=number > 0)
    share.begin("few", 10.0)
    for number in range(50):
        share.take_back(f"m{number}", 0.01)
    assert share.position("few", 10.0) - share.position("many", 10.0) < 10.1


def test_one_that_comes_amid_long_tasks_is_not_owed_for_them():
    share = FairShare()
    share.begin("a", 0.0)
    for number in range(8):
        share.hand_out("a", f"a{number}", 0.5, 0.0)
    share.begin("b", 3600.0)
    assert share.position("b", 3600.0) == share.position("a", 3600.0) == 8 * 3600.0


def test_a_task_that_was_never_handed_out_or_twice_is_no_matter():
    share = FairShare()
    share.take_back("nothing", 5.0)
    share.begin("a", 0.0)
    share.hand_out("a", "a1", 1.0, 0.0)
    share.hand_out("a", "a1", 1.0, 2.0)  # its worker was lost, and nobody said so
    share.take_back("a1", 3.0)
    share.take_back("a1", 3.0)
    assert share.position("a", 100.0) == 3.0


def test_thousands_of_workloads_leave_nothing_behind():
    share = FairShare()
    for number in range(5000):
        share.begin(f"w{number}", float(number))
        share.end(f"w{number}")
        share.hand_out(f"w{number}", "t", 0.1, float(number))
        share.take_back("t", 0.1)
    assert len(share._accounts) <= 2001


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.floats(0.2, 3.0)),
        min_size=2,
        max_size=5,
    ),
    st.integers(1, 6),
)
def test_workloads_that_always_want_have_the_same_within_a_task_or_two(loads, workers):
    """From when the last came: each has its share to within what is handed out at once."""
    queues = {f"w{at}": (begin, [length] * 2000) for at, (begin, length) in enumerate(loads)}
    all_there = max(begin for begin, _ in loads)
    _, runs = serve(FairShare(), queues, workers, until=all_there + 60)
    had = dict.fromkeys(queues, 0.0)
    for name, began, ended in runs:
        had[name] += max(0.0, min(ended, all_there + 60) - max(began, all_there))
    longest = max(length for _, length in loads)
    share = sum(had.values()) / len(had)
    assert all(abs(each - share) <= (workers + 2) * (longest + 0.5) for each in had.values())
