"""Starts that meet: who is stopped depends on numbers only."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.workflow.variational.race import Race

PATIENCE_S = 120


def run(race, ways):
    """Each way is the best value after each evaluation; how many evaluations each start made."""

    def go(start):
        for number, best in enumerate(ways[start], 1):
            if not race.goes_on(start, number, best):
                race.over(start, None)
                return number
        race.over(start, ways[start][-1] if ways[start] else float("inf"))
        return len(ways[start])

    with ThreadPoolExecutor(len(ways)) as pool:
        return [f.result(PATIENCE_S) for f in [pool.submit(go, k) for k in range(len(ways))]]


def expected(ways, review, close):
    """The same by a loop over evaluations."""
    made = [0] * len(ways)
    out, ended = set(), {}
    for number in range(1, max(map(len, ways)) + 1):
        here = {}
        for k, way in enumerate(ways):
            if k in out or k in ended:
                continue
            if len(way) < number:
                ended[k] = way[-1] if way else float("inf")
                continue
            made[k] = number
            here[k] = way[number - 1]
        if number % review or (number // review) & (number // review - 1):
            continue
        order = sorted((v, k) for k, v in {**ended, **here}.items())
        half = (len(order) + 1) // 2
        for place, (v, k) in enumerate(order):
            if place >= half and v > order[0][0] + close and k in here:
                out.add(k)
    return made


descending = st.lists(st.floats(-5, 5), max_size=14).map(lambda v: sorted(v, reverse=True))


@settings(max_examples=60)
@given(
    st.lists(descending, min_size=1, max_size=5),
    st.integers(1, 4),
    st.sampled_from([0.0, 1.0]),
)
def test_the_worse_half_is_stopped_at_each_comparison(ways, review, close):
    if not any(ways):
        return
    assert run(Race(len(ways), review, close), ways) == expected(ways, review, close)


def test_without_comparisons_nobody_waits():
    assert run(Race(2, 0), [[1.0] * 9, [5.0] * 7]) == [9, 7]


@pytest.mark.parametrize("how", ["give up", "stop"])
def test_nobody_waits_for_a_start_that_never_comes(how):
    stop = threading.Event()
    race = Race(2, 3, stop=stop)
    assert race.goes_on(1, 1, 1.0)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(race.goes_on, 0, 3, 1.0)
        race.give_up() if how == "give up" else stop.set()
        with pytest.raises(CancelledError):
            waits.result(PATIENCE_S)
        with pytest.raises(CancelledError):
            race.goes_on(1, 2, 1.0)
