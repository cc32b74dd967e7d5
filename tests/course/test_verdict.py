"""What is said of an answer, and answers that are functions."""

import numpy as np
import pytest

from qdreamer_lab.course.functions import Mistake, call, compare, numbers
from qdreamer_lab.course.verdict import NotRight, NotYet, Standing, exercise


@exercise
def check_even(number):
    if number % 2:
        raise NotRight(f"{number} <is> odd.")
    return "even."


def test_a_verdict_is_read_as_text_and_as_html():
    assert repr(check_even(4)) == "✓ Right: even."
    assert repr(check_even(3)) == "✗ Not quite: 3 <is> odd."
    assert repr(check_even(None)).startswith("○ Not yet: ")
    assert "3 &lt;is&gt; odd." in check_even(3)._repr_html_()
    assert check_even(4).right
    assert not check_even(3).right


def test_a_checker_keeps_its_name_and_help():
    assert check_even.__name__ == "check_even"


def test_faults_of_a_checker_itself_are_not_blamed_on_the_answer():
    with pytest.raises(TypeError):
        check_even("a text")


def test_a_function_without_a_body_is_no_answer():
    with pytest.raises(NotYet):
        call(lambda: ...)
    with pytest.raises(NotYet):
        call(lambda: None)


def test_what_fails_is_told_with_its_line():
    def broken(number):
        return number / 0

    with pytest.raises(NotRight, match="ZeroDivisionError in the line “return number / 0”"):
        call(broken, 1)
    with pytest.raises(NotRight, match=r"TypeError: .*positional argument"):
        call(broken)
    with pytest.raises(NotRight, match="A function is wanted; this is int"):
        call(3)


@pytest.mark.parametrize("value", ["text", [1, 2], float("nan"), float("inf"), {}, [[1], [2, 3]]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(NotRight, match="Your function returns"):
        numbers(value, ())


def test_numpy_numbers_are_numbers():
    assert numbers(np.float32(2.0), ()) == 2
    assert numbers([1, np.int64(2)], (2,)).tolist() == [1, 2]


def squares(answer, mistakes=()):
    told = "the number {}".format
    compare(answer, lambda x: x * x, [(2.0,), (3.0,), (4.0,)], mistakes, told=told)


def test_answers_are_compared_in_every_case():
    squares(lambda x: x**2)
    with pytest.raises(NotRight, match=r"For the number 3.0 .* gives 6; it should be 9\."):
        squares(lambda x: x + x if x < 4 else x * x)


def test_a_mistake_must_explain_all_cases():
    doubled = [Mistake(lambda x: 2 * x, "You double.")]
    with pytest.raises(NotRight, match=r"You double\."):
        squares(lambda x: 2 * x, doubled)
    with pytest.raises(NotRight, match="it should be"):
        squares(lambda x: 2 * x if x > 2 else 5, doubled)


def test_an_answer_may_change_what_it_is_given():
    def total(counts):
        found = 0
        while counts:
            found += counts.popitem()[1]
        return found

    given = [({"0": 3, "1": 4},), ({"0": 5},)]
    compare(total, lambda counts: sum(counts.values()), given, told=str)
    assert given[0] == ({"0": 3, "1": 4},)


def test_standings_are_words():
    assert [str(each) for each in Standing] == ["Not yet", "Not quite", "Right"]
