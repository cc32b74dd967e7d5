"""How a task is submitted: options that are checked at once, and their defaults."""

import dataclasses
import inspect

import pytest

from pilot_kernel import Session
from pilot_kernel.errors import PilotError
from pilot_kernel.task.notebook.options import DEFAULT_OPTIONS, TaskOptions


def test_wrong_options_are_refused_at_once():
    with pytest.raises(PilotError, match="timeout_s=0: more than zero seconds"):
        TaskOptions(timeout_s=0)
    with pytest.raises(PilotError, match="retries=-1: zero or more"):
        TaskOptions(retries=-1)


def test_a_name_is_given_only_where_there_is_none():
    assert TaskOptions(on="gpu").named("cell") == TaskOptions(on="gpu", name="cell")
    assert TaskOptions(name="mine").named("cell").name == "mine"


def test_keywords_are_those_of_submit():
    parameters = inspect.signature(Session.submit).parameters.values()
    keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert DEFAULT_OPTIONS.keywords() == keywords
    fields = {field.name for field in dataclasses.fields(TaskOptions)}
    assert set(keywords) == fields - {"parts", "part", "worker"}
