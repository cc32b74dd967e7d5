"""The quickstart in JupyterLab, in a real Chromium, on light and on dark."""

import re
import shutil
from pathlib import Path

import pytest

from tests.real.lab import open_notebook, outputs, run_all, use_theme

pytestmark = pytest.mark.real

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"


@pytest.fixture(scope="module")
def page(browser, lab):
    """The quickstart, run from top to bottom."""
    shutil.copy(NOTEBOOK, lab.work)
    page = open_notebook(browser, lab, NOTEBOOK.name, width=1100, height=6000)
    run_all(page)
    # The last cell's output, not its source, which has the same words in it.
    outputs(page).filter(has_text="standard errors").wait_for(timeout=180_000)
    background = outputs(page).filter(has_text="background").filter(has_text="2,000 shots")
    background.wait_for(timeout=60_000)
    yield page
    page.close()


def _widths(shapes):
    return shapes.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")


def test_every_cell_ran(page):
    for kind in ("error", "stderr"):
        told = page.locator(f'[data-mime-type="application/vnd.jupyter.{kind}"]')
        assert told.all_inner_texts() == []
    shown = "\n".join(outputs(page).all_inner_texts())
    for expected in ("local://", "points fell inside", "4,096 shots", "48 parameter sets"):
        assert expected in shown
    difference = re.search(r"largest difference: (\S+)", shown)
    assert float(difference[1]) < 1e-8


def test_a_cell_in_the_background_was_brought_up_to_date(page):
    done = outputs(page).filter(has_text="DONE").filter(has_text="background")
    assert done.filter(has_text="2,000 shots").count() == 1


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_pictures_are_drawn_in_the_colours_of_the_theme(page, theme, artifacts):
    use_theme(page, theme)
    bars = outputs(page).filter(has_text="4,096 shots").locator("span[style*='height:12px']")
    curves = outputs(page).filter(has_text="48 parameter sets").locator("svg polyline")
    # The theme has its name before its style sheet is there; until then nothing is laid out.
    for shape in (bars.nth(0), bars.nth(1), curves.first):
        shape.wait_for(state="visible", timeout=30_000)
    assert bars.count() == 2
    assert all(width > 50 for width in _widths(bars))
    assert curves.count() == 3
    assert _widths(curves)[0] > 200
    page.mouse.move(5, 5)
    page.screenshot(path=artifacts / f"quickstart-{theme.lower()}.png")
