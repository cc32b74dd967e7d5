"""Pictures of the explorer for README and notebooks, as a person sees it in JupyterLab.

    python -m tests.real.screenshots [FOLDER]      # by default notebooks/pictures

Look at them before they are committed.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import nbformat

from tests.real.explorer_page import Explorer
from tests.real.lab import (
    ROOT,
    chromium,
    missing,
    open_notebook,
    run_all,
    serving,
    use_theme,
    write_notebook,
)
from tests.real.small_png import small_png

FOLDER = ROOT / "notebooks" / "pictures"
NOTEBOOK = ROOT / "notebooks" / "02_cut_explorer.ipynb"
SIZE = {"width": 1440, "height": 900}
SCALE = 8 / 9
"""Pictures are 1280 pixels wide and 800 high."""

MOST_BYTES = 150_000
"""More is too much for a page that people look at for a moment."""

STATES = ("fresh", "dragged", "running", "finished", "compared", "dark")


def main(folder):
    """Make all pictures."""
    if what := missing():
        sys.exit(what)
    folder.mkdir(parents=True, exist_ok=True)
    with explorer_page(SIZE, SCALE) as (browser, page):
        blank = browser.new_page()
        for state, path in _states(Explorer(page), blank, folder):
            size = path.stat().st_size
            print(f"{state:10} {size / 1e3:4.0f} kB  {path}")
            assert size < MOST_BYTES, f"{path} has {size} bytes: show less, or compress it"
        blank.close()


@contextlib.contextmanager
def explorer_page(size, scale):
    """The browser, and a page of JupyterLab on which the notebook shows the explorer."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["PILOT_KERNEL_HOME"] = str(Path(home) / "registry")
        served = Path(home) / "lab"
        served.mkdir()
        with serving(served) as lab, chromium() as browser:
            write_notebook(lab.work / NOTEBOOK.name, explorer_cells())
            page = open_notebook(browser, lab, NOTEBOOK.name, scale=scale, **size)
            page.keyboard.press("Control+b")  # the list of files goes away
            page.locator(".jp-FileBrowser").wait_for(state="hidden")
            run_all(page)
            page.locator(".qd-board .main-svg").first.wait_for(timeout=180_000)
            yield browser, page
            page.close()


def explorer_cells():
    """The notebook's own cells, up to the one that shows the explorer."""
    sources = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    last = next(k for k, source in enumerate(sources) if "CutExplorer(" in source)
    return sources[: last + 1]


def _states(explorer, blank, folder):
    """Bring it into one state after the other, and take a picture of each."""
    page = explorer.page
    paths = {state: folder / f"explorer-{state}.png" for state in STATES}

    def shot(state, part=".qd-explorer"):
        page.locator(part).first.evaluate(
            "node => { node.style.scrollMarginTop = '8px'; node.scrollIntoView(); }"
        )
        page.mouse.move(5, 5)
        paths[state].write_bytes(small_png(blank, page.screenshot()))
        return state, paths[state]

    explorer.ready()
    yield shot("fresh")
    explorer.drag(0.9, 0.5, 0.15)
    explorer.shows_its_width()
    yield shot("dragged")
    explorer.button("Recommended").click()
    explorer.ready()
    explorer.control("Mode").select_option("sampled")
    explorer.control("Precision").fill("0.002")
    explorer.control("Precision").press("Enter")
    explorer.ready()
    explorer.button("Run").click()
    page.locator(".qd-timeline").get_by_text("so far").wait_for(timeout=60_000)
    yield shot("running", ".qd-status")
    page.wait_for_function(
        "() => document.querySelector('.qd-numbers').textContent.includes('Exact value')",
        timeout=120_000,
    )
    explorer.ready()
    yield shot("finished", ".qd-status")
    explorer.button("Compare").click()
    explorer.control("Mode").select_option("auto")
    explorer.summary.get_by_text("exact").wait_for()
    explorer.ready()
    explorer.button("Recommended").click()
    explorer.summary.get_by_text("Recommended.").wait_for()
    page.locator(".qd-board .qd-numbers thead th").filter(has_text="Pinned").wait_for()
    explorer.ready()
    yield shot("compared", ".qd-fragments")
    use_theme(page, "Dark")
    page.locator(".qd-board.qd-dark").wait_for()
    explorer.ready()
    yield shot("dark")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
