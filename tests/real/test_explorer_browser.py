"""The cut explorer in JupyterLab, in a real Chromium: move, click, run, stop, pin, save."""

import json
import re

import pytest

from tests.real.explorer_page import CIRCUIT, Explorer
from tests.real.lab import open_notebook, run_all, use_theme, write_notebook

pytestmark = pytest.mark.real

EXPLORER = """
import pilot_kernel
from qdreamer_lab import CutExplorer

session = pilot_kernel.session()
explorer = CutExplorer(circuit, observables, session=session)
explorer
"""
CELLS = (CIRCUIT, EXPLORER)


@pytest.fixture(scope="module")
def explorer(browser, lab, artifacts):
    """One explorer for all tests: fresh at first, and without an error to the end."""
    write_notebook(lab.work / "explorer.ipynb", CELLS)
    page = open_notebook(browser, lab, "explorer.ipynb", width=1280, height=800)
    noise = []
    page.on(
        "console", lambda said: said.type == "error" and noise.append((said.text, said.location))
    )
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda request: _local(request.url) or noise.append(request.url))
    run_all(page)
    page.locator(".qd-board .main-svg").first.wait_for(timeout=180_000)
    opened = Explorer(page)
    opened.ready()
    if "Recommended." not in opened.summary.inner_text():  # it came after the first display
        opened.button("Recommended").click()
        opened.summary.get_by_text("Recommended.").wait_for()
        opened.ready()
    assert page.locator(".qd-board .js-plotly-plot").count() == 4
    opened.shot(artifacts / "explorer-fresh.png")
    yield opened
    failed = page.locator("[data-mime-type='application/vnd.jupyter.error']").count()
    page.close()
    assert failed == 0
    assert noise == []


def _local(url):
    return re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:", url) is not None


def test_dragging_changes_all_views(explorer, artifacts):
    explorer.drag(0.9)
    explorer.ready()
    before = [one.inner_html() for one in explorer.page.locator(".qd-body").all()]
    explorer.drag(0.7, 0.2, 0.6, 0.25)
    explorer.shows_its_width()
    after = [one.inner_html() for one in explorer.page.locator(".qd-body").all()]
    assert all(one != other for one, other in zip(before, after, strict=True))
    explorer.shot(artifacts / "explorer-dragged.png")


def test_a_hundred_fast_moves_end_in_one_state(explorer):
    explorer.drag(*((37 * step % 100) / 100 for step in range(100)), 0.5)
    explorer.shows_its_width()
    stamps = explorer.page.evaluate(
        "() => performance.getEntriesByName('qdreamer:update').map(one => one.detail.serial)"
    )
    assert stamps == sorted(stamps)


def test_the_slider_moves_by_keyboard(explorer):
    explorer.drag(0.5)
    explorer.shows_its_width()
    was = explorer.width
    explorer.control("Fragment width").press("ArrowRight")
    explorer.shows_its_width()
    assert explorer.width == was + 1


def test_clicking_a_point_selects_it(explorer):
    """The narrowest: the widest is the uncut run, whose summary names no width."""
    explorer.drag(0.5)
    explorer.shows_its_width()
    page, was = explorer.page, explorer.summary.inner_text()
    page.locator(".qd-panel.qd-tradeoff").scroll_into_view_if_needed()
    away = page.locator(".qd-tradeoff .scatterlayer .points path.point").evaluate_all(
        """(all) => all.map(one => one.getBoundingClientRect())
             .map(box => [box.x + box.width / 2, box.y + box.height / 2])
             .sort((one, two) => one[0] - two[0])[0]"""
    )
    page.mouse.move(away[0] - 3, away[1])
    page.mouse.move(*away)
    page.locator(".qd-tradeoff .hoverlayer .hovertext").first.wait_for()
    page.mouse.click(*away)
    page.wait_for_function(
        "was => document.querySelector('.qd-summary').textContent !== was", arg=was
    )
    explorer.shows_its_width()


def test_cpu_and_gpu_are_compared_by_keyboard(explorer, artifacts):
    explorer.ready()
    axes, caption = explorer.page.get_by_label("Axes of the trade-off"), ".qd-caption"
    assert explorer.page.locator(caption).inner_text() == ""
    axes.focus()
    axes.press("End")
    explorer.page.locator(caption).get_by_text("There is no GPU here.").wait_for()
    explorer.ready()
    words = explorer.page.locator(caption).inner_text()
    assert "a GPU would be faster than" in words or "At no width" in words
    names = explorer.page.locator(".qd-tradeoff .legendtext").all_text_contents()
    assert any("CPU core" in name for name in names)
    assert any(name.startswith("GPU") for name in names)
    image = explorer.page.get_by_role("figure", name="time and width on CPU cores and on a GPU")
    assert words.rstrip(".") in image.get_attribute("aria-label")
    explorer.shot(artifacts / "explorer-gpu.png")
    axes.press("Home")
    explorer.page.locator(caption).wait_for(state="hidden")
    explorer.ready()


def test_compare_shows_plans_side_by_side(explorer, artifacts):
    explorer.drag(0.7)
    explorer.shows_its_width()
    explorer.button("Compare").click()
    explorer.drag(0.15)
    explorer.shows_its_width()
    explorer.page.locator(".qd-board .qd-numbers thead th").filter(has_text="Pinned").wait_for()
    explorer.page.wait_for_function(  # the table is drawn a moment after the width
        "() => document.querySelectorAll('.qd-board .qd-numbers thead th').length === 3"
    )
    explorer.page.locator(".qd-panel.qd-numbers").scroll_into_view_if_needed()
    explorer.page.screenshot(path=artifacts / "explorer-compared.png")


def test_running_shows_the_value_beside_the_prediction(explorer, artifacts):
    explorer.button("Recommended").click()
    explorer.ready()
    explorer.button("Run").click()
    explorer.status.get_by_text(re.compile("Running|Done")).or_(explorer.status).first.wait_for()
    explorer.shot(artifacts / "explorer-running.png")
    explorer.page.wait_for_function(
        "() => document.querySelector('.qd-status').textContent.startsWith('Done')", timeout=120_000
    )
    assert "Value:" in explorer.status.inner_text()
    explorer.page.locator(".qd-timeline .js-plotly-plot").get_by_text("measured").wait_for()
    assert "Measured time" in explorer.page.locator(".qd-panel.qd-numbers").inner_text()
    explorer.shot(artifacts / "explorer-finished.png")


def test_stop_gives_up_a_run(explorer):
    explorer.ready()
    explorer.control("Mode").select_option("sampled")
    explorer.control("Precision").fill("0.003")
    explorer.control("Precision").press("Enter")
    explorer.drag(0.4)
    explorer.shows_its_width()
    explorer.button("Recommended").click()
    explorer.ready()
    explorer.run()
    explorer.button("Stop").and_(explorer.page.locator(":enabled")).click(timeout=60_000)
    explorer.page.wait_for_function(
        "() => document.querySelector('.qd-status').textContent.startsWith('Stopped')",
        timeout=60_000,
    )
    explorer.control("Mode").select_option("auto")
    explorer.ready()


def test_code_is_shown_and_hidden(explorer):
    explorer.button("Code").click()
    shown = explorer.page.locator(".qd-code pre")
    shown.wait_for(state="visible")
    assert "CutEstimator(" in shown.inner_text()
    explorer.button("Code").click()
    shown.wait_for(state="hidden")


@pytest.mark.parametrize("kind", ["json", "html", "png", "svg"])
def test_saving(explorer, kind, tmp_path):
    explorer.ready()
    explorer.page.locator(".qd-actions select").select_option(label=_label(kind))
    with explorer.page.expect_download(timeout=60_000) as coming:
        explorer.button("Save").click()
    path = tmp_path / coming.value.suggested_filename
    coming.value.save_as(path)
    content = path.read_bytes()
    assert path.suffix == f".{kind}"
    if kind == "json":
        assert json.loads(content)["format"] == "qdreamer-lab cut plan"
    elif kind == "png":
        assert content.startswith(b"\x89PNG")
        assert len(content) > 50_000
    elif kind == "svg":
        assert content.count(b"<svg") >= 5
    else:
        _interactive(explorer.page.context.browser, path)


def _label(kind):
    return {"json": "plan (JSON)", "html": "page (HTML)"}.get(kind, f"picture ({kind.upper()})")


def _interactive(browser, path):
    """The page draws by itself, offline."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert page.locator(".js-plotly-plot").count() == 4
    assert wrong == []
    context.close()


def test_every_control_has_a_name_and_a_hint(explorer):
    explorer.ready()
    nameless = explorer.page.evaluate(
        """() => [...document.querySelectorAll(
            '.qd-explorer :is(button, select, input, [role=slider], [tabindex="0"])')]
          .filter(one => one.offsetParent)
          .filter(one => !(one.getAttribute('aria-label') || one.labels?.[0]?.textContent
                           || one.textContent.trim()))
          .map(one => one.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    hintless = explorer.page.evaluate(
        """() => [...document.querySelectorAll('.qd-controls > *, .qd-actions > *')]
          .filter(one => !one.title && !one.querySelector('[title]'))
          .map(one => one.textContent)"""
    )
    assert hintless == []


@pytest.mark.parametrize("theme", ["Dark", "Light"])
@pytest.mark.parametrize("width", [1280, 640])
def test_nothing_is_cut_off(explorer, artifacts, theme, width):
    page = explorer.page
    use_theme(page, theme)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_function(
        "dark => document.querySelector('.qd-board').classList.contains('qd-dark') === dark",
        arg=theme == "Dark",
    )
    explorer.ready()
    wide = page.evaluate(
        """() => [...document.querySelectorAll(
             '.qd-explorer :is(.qd-panel, .qd-controls > *, .qd-actions > *, .main-svg)')]
          .filter(one => one.offsetParent)
          .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().right])
          .filter(([, right]) =>
             right > document.querySelector('.qd-explorer').getBoundingClientRect().right + 1)"""
    )
    assert wide == []
    explorer.shot(artifacts / f"explorer-{theme.lower()}-{width}.png")
