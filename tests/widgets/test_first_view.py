"""What an explorer shows before its page has loaded plotly.js, and what is loaded ahead for it."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.widgets import readiness
from qdreamer_lab.widgets.board import FIGURES, Board
from qdreamer_lab.widgets.changes import answered
from qdreamer_lab.widgets.planner import Planner
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.render import Renderer
from qdreamer_lab.widgets.state import Controls, View
from tests.circuits.plain import uneven_line

DREAMER = QDreamer(profile=MachineProfile.nominal())


@pytest.fixture(scope="module")
def first():
    """A renderer's maker, and the first state of an explorer."""
    problem = problem_of(uneven_line(8), None)
    planner, controls = Planner(problem, DREAMER), Controls(4)
    view = View(controls, graph=False, working=True, fresh=True)
    view = answered(view, planner.first(controls), working=True)
    return lambda: Renderer(problem, planner.workers), view


def texts(svg):
    return {"".join(node.itertext()) for node in ElementTree.fromstring(svg).iter()}


def test_pictures_go_with_the_figures_until_they_can_be_drawn(first):
    make, view = first
    parts = make().parts(view, stills=True)
    assert set(parts["stills"]) == set(FIGURES)
    for name in FIGURES:
        names = {trace.get("name") for trace in json.loads(parts[name])["data"]}
        assert names & texts(parts["stills"][name]) or name == "fragments"
    assert "stills" not in make().parts(view)


def test_a_picture_follows_every_change_of_its_figure(first):
    make, view = first
    renderer = make()
    before = renderer.parts(view, stills=True)["stills"]
    after = renderer.parts(replace(view, graph=True), stills=True)["stills"]
    assert {name for name in FIGURES if after[name] != before[name]} == {"circuit"}
    assert "stills" not in renderer.parts(replace(view, graph=True, note="x"), stills=True)


def test_a_page_that_draws_needs_no_pictures():
    heard = []
    board = Board(heard.append)
    try:
        board.update({"stills": {"circuit": "<svg/>"}}, {"serial": 1})
        for nonsense in ({"live": "yes"}, {"live": 1}):
            board._handle_custom_msg(nonsense, [])
            assert not board.live
        board._handle_custom_msg({"live": True}, [])
        assert board.live
        assert board.stills == {}
        assert heard == [{"live": "yes"}, {"live": 1}]
    finally:
        board.close()


def test_scripts_load_nothing_ahead():
    source = (
        "import threading\n"
        "import qdreamer_lab.widgets.explorer\n"
        "print([each.name for each in threading.enumerate() if 'readiness' in each.name])"
    )
    told = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


def test_a_notebook_loads_all_ahead_or_until_an_explorer_is_opened(monkeypatch):
    done, wanted = [], threading.Event()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(readiness, "_wanted", wanted)
    monkeypatch.setattr(readiness, "in_cache", lambda room: True)

    def steps(dreamer):
        for name in ("one", "two"):
            done.append(name)
            yield name

    monkeypatch.setattr(readiness, "steps", steps)
    readiness.begin(DREAMER).join()
    assert done == ["one", "two"]
    readiness.enough()
    readiness.begin(DREAMER).join()
    assert done == ["one", "two", "one"]
    monkeypatch.setattr(readiness, "in_cache", lambda room: not room.endswith("sweep"))
    readiness.begin(DREAMER).join()
    assert len(done) == 3
    shell.kernel = None
    assert readiness.begin(DREAMER) is None


def test_all_that_is_loaded_ahead_works():
    assert list(readiness.steps(DREAMER))[-1] == "advice"
