"""Runs played through on other numbers of workers, against schedules worked out in other ways."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.workflow.characterise.larger import dealt_out_s, played_simulated
from qdreamer_lab.workflow.characterise.replay import Pace, fitted, replayed_s
from qdreamer_lab.workflow.trace import Portion, Trace, Traced

WHOLE = Portion()


def task(previous=None, heard=(), inputs=(), gap_s=0.0, busy_s=1.0, portion=WHOLE):
    return Traced(previous, tuple(heard), tuple(inputs), gap_s, busy_s, portion)


def trace(*tasks, tail_s=0.0, wall_s=0.0):
    return Trace(tasks, tail_s, wall_s)


def in_a_row(count, **given):
    """Tasks that are submitted one after the other, without waiting for results."""
    return [task(None if k == 0 else k - 1, **given) for k in range(count)]


def test_by_hand():
    chain = trace(task(gap_s=0.5), task(0, [0], gap_s=0.5), task(1, [1], gap_s=0.5), tail_s=2.0)
    for workers in (1, 2, 1000):
        assert replayed_s(chain, workers) == 6.5
    two = trace(task(), task(0, [0]), task(), task(2, [2]))
    assert [replayed_s(two, workers) for workers in (1, 2, 3)] == [4.0, 2.0, 2.0]
    fork = trace(*in_a_row(3, busy_s=2.0), task(2, inputs=[0, 1, 2], busy_s=1.0))
    assert [replayed_s(fork, workers) for workers in (1, 2, 3)] == [7.0, 5.0, 3.0]
    assert replayed_s(fork, 3, Pace(interval_s=0.5)) == 4.5
    assert replayed_s(fork, 3, Pace(handover_s=0.5)) == 4.0


def test_divided_work_is_divided_as_far_as_it_can_be():
    step = {"busy_s": 9.0, "portion": Portion(8, 8.0)}
    steps = trace(task(**step), task(0, [0], gap_s=1.0, **step))
    assert replayed_s(steps, 1) == 19.0
    assert replayed_s(steps, 2) == 10.0
    assert replayed_s(steps, 3) == pytest.approx(1 + 2 * 9 * 3 / 8)  # 3 + 3 + 2 parts
    assert replayed_s(steps, 100) == replayed_s(steps, 8) == pytest.approx(1 + 2 * 9 / 8)
    assert replayed_s(steps, 100, Pace(fixed_s=1.0)) == pytest.approx(1 + 2 * 2)


@given(st.integers(1, 20), st.floats(0, 5), st.floats(0, 2), st.integers(1, 6))
def test_without_waits_it_is_dealing_out(count, busy_s, interval_s, workers):
    found = replayed_s(trace(*in_a_row(count, busy_s=busy_s)), workers, Pace(interval_s))
    assert found == pytest.approx(dealt_out_s(count, busy_s, interval_s, workers))


@st.composite
def graphs(draw):
    """Tasks in order, each waiting for some before it; no two things happen at once."""
    count = draw(st.integers(1, 8))
    made = []
    for k in range(count):
        before = st.lists(st.integers(0, k - 1), max_size=3) if k else st.just([])
        made.append(
            task(
                draw(st.none() | st.integers(0, k - 1)) if k else None,
                sorted({*draw(before)}),
                sorted({*draw(before)}),
                draw(st.integers(0, 3)) + 0.1 * 2.0**-k,
                draw(st.integers(0, 5)) + 0.1 * 3.0**-k,
            )
        )
    return trace(*made)


def by_small_steps(whole, workers):
    """The same rules without events: go from one moment at which anything happens to the next."""
    tasks = whole.tasks
    left, over, running = {}, {}, {}
    now, waiting, come = 0.0, [], set()
    while len(over) < len(tasks):
        changed = True
        while changed:
            changed = False
            for k in [k for k, end in running.items() if end <= now]:
                over[k] = running.pop(k)
                changed = True
            for k, one in enumerate(tasks):
                needs = [left.get(one.previous)] if one.previous is not None else [0.0]
                needs += [over.get(j) for j in one.heard]
                if k not in left and None not in needs and max(needs) + one.gap_s <= now:
                    left[k] = now
                    changed = True
                if k in left and k not in come and all(j in over for j in one.inputs):
                    come.add(k)
                    waiting.append(k)
                    changed = True
            while waiting and len(running) < workers:
                first = waiting.pop(0)
                running[first] = now + tasks[first].busy_s
                changed = True
        times = list(running.values())
        for k, one in enumerate(tasks):
            needs = [left.get(one.previous)] if one.previous is not None else [0.0]
            needs += [over.get(j) for j in one.heard]
            if k not in left and None not in needs:
                times.append(max(needs) + one.gap_s)
        if times:
            now = min(time for time in times if time > now)
    return max(over.values())


@given(graphs())
def test_with_as_many_workers_as_tasks_it_is_the_longest_path(whole):
    left, over = [], []
    for one in whole.tasks:
        before = [over[k] for k in one.heard]
        before += [left[one.previous]] if one.previous is not None else []
        left.append(max([0.0, *before]) + one.gap_s)
        over.append(max([left[-1], *(over[k] for k in one.inputs)]) + one.busy_s)
    assert replayed_s(whole, len(over)) == pytest.approx(max(over))


@given(graphs(), st.integers(1, 4))
def test_against_a_clock_that_looks_at_all_tasks_each_time(whole, workers):
    assert replayed_s(whole, workers) == pytest.approx(by_small_steps(whole, workers))


@given(graphs(), st.integers(1, 4))
def test_it_keeps_to_what_every_schedule_keeps_to(whole, workers):
    took = replayed_s(whole, workers)
    work = sum(one.busy_s for one in whole.tasks)
    assert took >= max(work / workers, replayed_s(whole, 1000)) - 1e-9
    assert took <= work + sum(one.gap_s for one in whole.tasks) + 1e-9


@given(graphs(), st.floats(0, 1))
def test_with_the_fitted_pace_one_worker_takes_as_long_as_it_took(whole, more):
    """Or the wall time jumps there, since another task is first then."""
    plain = replayed_s(whole, 1)
    told = Trace(whole.tasks, 0.0, plain + more * len(whole.tasks))
    pace = fitted(told, 0.0)
    assert replayed_s(told, 1, pace) <= told.wall_s + 1e-6
    later = Pace(handover_s=pace.handover_s + 1e-6)
    assert replayed_s(told, 1, later) >= told.wall_s - 1e-6
    assert fitted(Trace(whole.tasks, 0.0, plain / 2), 0.0).handover_s == pytest.approx(0, abs=1e-6)


def test_what_divided_work_takes_besides_is_seen_from_two_sizes():
    sizes = [(32, 544.0), (32, 544.0), (16, 16.0)]
    parts = [
        task(
            None if k == 0 else k - 1,
            [k - 1] if k else [],
            busy_s=0.01 + amount / 1e4,
            portion=Portion(items, amount),
        )
        for k, (items, amount) in enumerate(sizes)
    ]
    told = trace(*parts, wall_s=0.2)
    assert fitted(told, 0.0).fixed_s == pytest.approx(0.01)
    assert fitted(trace(*parts[:2], wall_s=0.2), 0.0).fixed_s == 0.0


def test_a_curve_says_what_it_rests_on():
    chains = [
        task(None if k < 4 else k - 4, [] if k < 4 else [k - 4], busy_s=0.1) for k in range(40)
    ]
    told = trace(*chains, tail_s=0.5, wall_s=5.0)
    curve = played_simulated("loop", told, 0.001, (1, 2, 4, 1000), {1: 5.0, 2: 2.8, 4: 3.1}, 2)
    assert curve.wall_s[0] == pytest.approx(5.0, rel=0.01)
    assert curve.wall_s[1] == pytest.approx(2.75, rel=0.03)
    assert curve.wall_s[3] == pytest.approx(curve.wall_s[2])  # more workers than chains
    assert curve.off[4] == pytest.approx(2.75 / 3.1 - 1, abs=0.05)  # four workers on two cores
    assert "4 (sharing 2 cores): " in curve.text()
    assert "40 tasks of a run on one worker" in curve.text()
    assert [f"{a} <= {b}" for a, b in itertools.pairwise(curve.wall_s) if b > a] == []
