"""The explorer in Notebook 7, in Voilà, and in a notebook that is reopened; all of it audited."""

import contextlib
import importlib.util
import json
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.real.explorer_page import Explorer
from tests.real.lab import open_notebook, run_all, serving, write_notebook

pytestmark = pytest.mark.real

CIRCUIT = """
import numpy as np
from qiskit.circuit.library import efficient_su2

circuit = efficient_su2(12, reps=2, entanglement="linear")
circuit = circuit.assign_parameters(np.random.default_rng(0).uniform(0, 6, circuit.num_parameters))
"""
EXPLORER = """
from qdreamer_lab import CutExplorer

explorer = CutExplorer(circuit, max_qubits=8)
explorer
"""
CELLS = (CIRCUIT, EXPLORER)
BAD = ("serious", "critical")
AUDIT = """async () => (await axe.run('.qd-explorer', {resultTypes: ['violations']})).violations
  .filter((one) => %s.includes(one.impact))
  .map((one) => [one.id, one.help, one.nodes.map((node) => node.html.slice(0, 200))])"""


def needs(name):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}: pip install 'qdreamer-lab[real]'")


def audited(page):
    """What axe-core calls serious or critical about the explorer, as it is on the page."""
    needs("axe_playwright_python")
    found = importlib.util.find_spec("axe_playwright_python")
    page.add_script_tag(path=Path(found.origin).parent / "axe.min.js")
    return page.evaluate(AUDIT % json.dumps(BAD))


@contextlib.contextmanager
def hearing_kernel(page):
    """What opens a notebook; over as soon as its page has heard from its kernel."""
    heard = []

    def listen(socket):
        if "/channels" in socket.url:
            socket.on("framereceived", lambda _: heard.append(True))

    page.on("websocket", listen)
    yield
    wait_until(lambda: page.wait_for_timeout(50) or heard, 60)


def drawn(page):
    """The live explorer, once all of it is there."""
    page.locator(".qd-board .main-svg").first.wait_for(timeout=180_000)
    explorer = Explorer(page)
    explorer.ready()
    assert page.locator(".qd-board .js-plotly-plot").count() == 4
    assert not page.locator(".qd-static").is_visible()
    return explorer


def used(page, picture):
    """Move it by keyboard, run what is selected; it stays in one piece."""
    explorer = drawn(page)
    was = explorer.width
    handle = explorer.control("Fragment width")
    handle.press("ArrowLeft")
    page.wait_for_function(
        "([handle, width]) => Math.round(handle.ariaValueNow) === width",
        arg=[handle.element_handle(), was - 1],
    )
    explorer.shows_its_width()
    explorer.run()
    page.wait_for_function(
        "() => document.querySelector('.qd-status').textContent.startsWith('Done')", timeout=120_000
    )
    explorer.ready()
    explorer.shot(picture)
    return explorer


def typed(page, explorer):
    """Letters that add and delete cells of a notebook do nothing to it from inside the explorer."""
    page.evaluate(
        """() => addEventListener('keydown', (event) => (window.taken = event.defaultPrevented))"""
    )
    cells = page.locator(".jp-Notebook .jp-Cell")
    for control in (explorer.control("Mode"), explorer.button("Code")):
        control.focus()
        for key in ("a", "b", "d", "d", "ArrowUp", "m"):
            page.keyboard.press(key)
            assert page.evaluate("() => window.taken") is False, key
    assert cells.count() == len(CELLS)
    assert page.locator(".jp-mod-selected .qd-explorer").count() == 1


@pytest.fixture
def page(browser):
    """A page, and nothing wrong in what we draw on it in the end."""
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    wrong = []
    # What we draw with comes from the kernel, as a blob; a frontend has errors of its own.
    page.on("pageerror", lambda error: "blob:" in (error.stack or "") and wrong.append(str(error)))
    yield page
    page.close()
    assert wrong == []


@pytest.fixture
def seven(tmp_path, registry_home):
    """A server that Notebook 7 has to itself.

    Jupyter Server 2.21 finds files by their names alone, once: a font that Lab and Notebook both
    bring is refused (403) to whichever of the two asks for it second.
    """
    needs("notebook")
    with serving(tmp_path) as served:
        yield served


def test_notebook_7(page, seven, artifacts):
    write_notebook(seven.work / "seven.ipynb", CELLS, "python3")
    with hearing_kernel(page):  # its indicator says idle before there is one, and no cell would run
        page.goto(f"{seven.root}/notebooks/seven.ipynb?token={seven.token}")
    run_all(page)
    typed(page, used(page, artifacts / "explorer-notebook7.png"))
    assert audited(page) == []


def test_voila(page, lab, artifacts):
    needs("voila")
    write_notebook(lab.work / "served.ipynb", CELLS, "python3")
    page.goto(f"{lab.root}/voila/render/served.ipynb?token={lab.token}", timeout=120_000)
    used(page, artifacts / "explorer-voila.png")
    assert audited(page) == []


def test_a_notebook_that_is_reopened_shows_its_last_state(browser, lab, artifacts):
    write_notebook(lab.work / "kept.ipynb", CELLS, "python3")
    first = open_notebook(browser, lab, "kept.ipynb", width=1100, height=900)
    run_all(first)
    explorer = used(first, artifacts / "explorer-kept.png")
    assert audited(first) == []
    summary = explorer.summary.inner_text()
    typed(first, explorer)  # and stays there: commands such as this one are still heard
    first.keyboard.press("Control+s")
    first.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    first.close()
    saved = (lab.work / "kept.ipynb").read_text()
    assert "Measured time" in saved
    (lab.work / "again.ipynb").write_text(saved)  # which has no kernel that knows the explorer
    page = open_notebook(browser, lab, "again.ipynb", width=1100, height=900)
    static = page.locator(".qd-static")
    static.wait_for(timeout=60_000)
    assert summary in static.inner_text()
    assert static.locator("img").evaluate("image => image.complete && image.naturalWidth > 100")
    page.wait_for_timeout(1000)
    assert not page.get_by_text("Error displaying widget").is_visible()
    assert not page.get_by_text("Loading widget").is_visible()
    page.screenshot(path=artifacts / "explorer-reopened.png")
    page.close()
