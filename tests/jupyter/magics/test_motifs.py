"""`%motif`: what reaches the package that has motifs, and what is said where there is none."""

import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from pilot_kernel.errors import CellError
from pilot_kernel.jupyter.magics import motifs

ROOT = Path(__file__).parents[3]


class Point:
    name, value = "some", "some.module:function"

    def __init__(self, function):
        self.function = function

    def load(self):
        if self.function is None:
            raise ImportError("no module")
        return self.function


@pytest.fixture
def points(monkeypatch):
    found = []
    monkeypatch.setattr(motifs, "entry_points", lambda group: found)
    return found


def test_a_line_reaches_the_package(run, session, points):
    asked = []
    points.append(Point(lambda request: asked.append(request) or "a report"))
    assert run("%motif pipeline --set images=8 -s 'data=a b.csv' --preset paper") == "a report"
    (request,) = asked
    assert (request.name, request.preset) == ("pipeline", "paper")
    assert request.settings == ("images=8", "data=a b.csv")
    assert request.session() is session
    request.say("a line")
    run("%motif")
    assert (asked[1].name, asked[1].settings, asked[1].preset) == (None, (), "small")
    run("%motif pipeline --help")
    assert [request.help for request in asked] == [False, False, True]


def test_no_package_has_motifs(run, points):
    run("%motif x")
    assert isinstance(run.error, CellError)
    assert "no installed package has motifs" in str(run.error)
    points.append(Point(None))
    run("%motif x")
    assert "'some.module:function', which cannot be loaded: no module" in str(run.error)


def test_a_line_that_makes_no_sense(run, points):
    run("%motif x --set")
    assert isinstance(run.error, UsageError)


def test_this_package_is_registered():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (value,) = told["project"]["entry-points"][motifs.ENTRY_POINTS].values()
    module, _, name = value.partition(":")
    assert callable(getattr(import_module(module), name))
