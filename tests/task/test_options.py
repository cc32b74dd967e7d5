"""How a task is submitted: options that are checked at once, and their defaults."""

import dataclasses
import inspect

import pytest

from pilot_kernel import Session
from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions


def test_wrong_options_are_refused_at_once():
    with pytest.raises(PilotError, match="timeout_s=0: a number of seconds, more than zero"):
        TaskOptions(timeout_s=0)
    with pytest.raises(PilotError, match="retries=-1: a whole number, zero or more"):
        TaskOptions(retries=-1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("timeout_s", float("nan")),
        ("timeout_s", float("inf")),
        ("timeout_s", "5"),
        ("retries", 10**30),
        ("retries", True),
        ("retries", 1.5),
        ("priority", 10**30),
        ("priority", -(2**63)),
        ("priority", "high"),
        ("name", "\ud800"),
        ("name", 5),
        ("workload", "\ud800"),
    ],
)
def test_what_cannot_be_sent_to_a_worker_is_refused(key, value):
    with pytest.raises(PilotError, match=f"^{key}="):
        TaskOptions(**{key: value})


def test_numbers_of_numpy_are_taken_as_plain_ones():
    numpy = pytest.importorskip("numpy")
    options = TaskOptions(
        timeout_s=numpy.float32(2), retries=numpy.int64(1), priority=numpy.int8(-3)
    )
    assert (options.timeout_s, options.retries, options.priority) == (2.0, 1, -3)
    assert {type(options.retries), type(options.priority)} == {int}


def test_a_name_is_given_only_where_there_is_none():
    assert TaskOptions(on="gpu").named("cell") == TaskOptions(on="gpu", name="cell")
    assert TaskOptions(name="mine").named("cell").name == "mine"


def test_keywords_are_those_of_submit():
    parameters = inspect.signature(Session.submit).parameters.values()
    keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert DEFAULT_OPTIONS.keywords() == keywords
    fields = {field.name for field in dataclasses.fields(TaskOptions)}
    assert set(keywords) == fields - {"parts", "part", "worker"}
