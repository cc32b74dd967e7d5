"""A function over many inputs: results in order, progress, and an end at the first failure."""

import operator

import pytest

from pilot_kernel.errors import PilotError


def test_results_are_in_order_and_progress_only_grows(session):
    told = []
    found = session.map(pow, range(9), [2] * 9, progress=lambda *at: told.append(at))
    assert found == [n**2 for n in range(9)]
    assert told == [(done, 9) for done in range(10)]


def test_the_shortest_input_says_how_many(session):
    assert session.map(operator.add, iter([1, 2, 3]), [10, 20]) == [11, 22]
    assert session.map(abs, []) == []


def test_a_line_counts(session, capsys):
    session.map(abs, [-1, -2], progress=True)
    out = capsys.readouterr().out
    assert out.startswith("\r0 of 2 done")
    assert out.endswith("\r2 of 2 done\n")


def test_the_first_failure_is_raised_and_ends_the_others(session):
    def reciprocal(n, seconds):
        import time

        time.sleep(seconds)
        return 1 / n

    with pytest.raises(ZeroDivisionError):
        session.map(reciprocal, [0, *range(1, 9)], [0, *[600] * 8], name="reciprocal")
    left = [task for task in session.tasks if task.name == "reciprocal" and not task.done()]
    assert left == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.map(abs), "a function and its inputs"),
        (lambda s: s.map(abs, [1], cpus=3), "map takes no cpus=; it takes progress, on, name"),
        (lambda s: s.map("abs", [1]), "takes a function, not str"),
    ],
)
def test_wrong_calls_are_told_what_to_do(session, call, words):
    with pytest.raises(PilotError, match=words):
        call(session)
