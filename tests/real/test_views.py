"""What is shown of pilots and tasks, in JupyterLab, while tasks run."""

import json
import re

import pytest

from tests.conftest import wait_until
from tests.real.lab import open_notebook, outputs, run_all, use_theme, write_notebook

pytestmark = pytest.mark.real

WORK = """
def work(at, gate):
    import os
    while not os.path.exists(gate):
        sum(range(9999))
    if at % 5 == 3:
        raise ValueError("no <convergence> in step 3")
    return at

tasks = [session.submit(work, at, "/", name="warm") for at in range(8)]
tasks += [session.submit(work, at, "GATE", name="anneal") for at in range(40)]
joined = session.submit(len, tasks, name="collect")
device = session.submit(work, 1, "GATE", on="qpu", name="calibrate")
"""
CELLS = (
    "%pilot add qpu://fake_manila --name manila",
    "import pilot_kernel\nsession = pilot_kernel.session()" + WORK,
    "session",
    "%tasks",
)


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """A file that, once it exists, lets the tasks end."""
    return tmp_path_factory.mktemp("gate") / "open"


@pytest.fixture(scope="module")
def page(browser, lab, gate, artifacts):
    """A notebook in which many tasks run."""
    cells = [cell.replace("GATE", str(gate)) for cell in CELLS]
    write_notebook(lab.work / "views.ipynb", cells)
    page = open_notebook(browser, lab, "views.ipynb", width=1280, height=800)
    try:
        run_all(page)
        pilots(page).filter(has_text="calibrate").wait_for(timeout=60_000)
        yield page
    finally:
        gate.touch()  # else the agent would go on for ever, and so it would for a while amid tasks
        pilots(page).filter(has_text="nothing waits").filter(has_text="0 busy").wait_for()
        page.screenshot(path=artifacts / "views-last.png")
        page.close()


def pilots(page):
    return outputs(page).filter(has_text="workers up").last


def tasks(page):
    return outputs(page).filter(has_text="waited")


@pytest.mark.parametrize("width", [1280, 640])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_views_fit_and_read_well(page, artifacts, theme, width):
    page.set_viewport_size({"width": width, "height": 800})
    show_sidebar(page, width > 1000)
    use_theme(page, theme)
    for name, view in (("pilots", pilots(page)), ("tasks", tasks(page))):
        view.wait_for(timeout=30_000)
        view.scroll_into_view_if_needed()
        page.mouse.move(5, 5)
        page.screenshot(path=artifacts / f"views-{name}-{theme.lower()}-{width}.png")
        assert view.evaluate(CONTRAST) >= 4.5


def show_sidebar(page, shown):
    side = page.locator("#jp-left-stack")
    if side.is_visible() != shown:
        page.keyboard.press("Control+b")
        side.wait_for(state="visible" if shown else "hidden")


CONTRAST = """view => {
    const parse = colour => {
        const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
        return [r, g, b, a];
    };
    const over = ([r, g, b, a], under) =>
        [r, g, b].map((part, at) => a * part + (1 - a) * under[at]);
    const light = colour => {
        const [r, g, b] = colour.map(part => part / 255).map(
            part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let paper = [255, 255, 255];
    const chain = [];
    for (let one = view; one; one = one.parentElement) chain.unshift(one);
    for (const one of chain) paper = over(parse(getComputedStyle(one).backgroundColor), paper);
    let worst = 21;
    const texts = document.createTreeWalker(view, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const holder = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || holder.ariaHidden === "true") continue;
        const ink = parse(getComputedStyle(holder).color);
        for (let one = holder; one !== view; one = one.parentElement)
            ink[3] *= Number(getComputedStyle(one).opacity);
        const [a, b] = [light(over(ink, paper)), light(paper)];
        worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
    }
    return worst;
}"""


def test_views_change_while_tasks_run_and_stay_when_all_is_done(page, lab, gate, artifacts):
    _only_what_changes_is_sent_and_never_more_than_once_a_second(page)
    _pilots_and_tasks_change_in_place_until_all_is_done(page, gate, artifacts)
    _the_saved_notebook_holds_the_last_state_as_plain_html(page, lab)


def _only_what_changes_is_sent_and_never_more_than_once_a_second(page):
    page.evaluate(
        """view => {
            window.changes = [];
            const seen = new MutationObserver(() => window.changes.push(performance.now()));
            seen.observe(view, {childList: true, subtree: true, characterData: true});
        }""",
        tasks(page).element_handle().evaluate_handle("one => one.parentElement.parentElement"),
    )
    page.wait_for_function("window.changes.length > 12", timeout=60_000)
    first_of_each = """() => window.changes.filter((at, i, all) => !i || at - all[i - 1] > 200)"""
    moments = page.evaluate(first_of_each)
    # On the whole: one that comes late is followed closely by the next.
    assert (moments[-1] - moments[0]) / (len(moments) - 1) > 900


def _pilots_and_tasks_change_in_place_until_all_is_done(page, gate, artifacts):
    page.set_viewport_size({"width": 1280, "height": 800})
    view = pilots(page)
    assert view.locator("svg[role=img][aria-label]").count() >= 6
    assert view.locator("th[scope=col]").count() == 5
    assert "busy" in view.inner_text()
    gate.touch()
    outputs(page).filter(has_text="nothing waits").last.wait_for(timeout=60_000)
    done = tasks(page).filter(has_text=re.compile(r"^10 failed · 40 done"))
    done.wait_for(timeout=60_000)
    assert "no <convergence> in step 3" in done.inner_text()
    page.screenshot(path=artifacts / "views-done.png")
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0


def _the_saved_notebook_holds_the_last_state_as_plain_html(page, lab):
    page.keyboard.press("Control+s")
    saved = lab.work / "views.ipynb"

    found = []

    def complete():
        try:
            cells = json.loads(saved.read_text())["cells"]
        except json.JSONDecodeError:  # JupyterLab writes in place, and is at it
            return False
        found[:] = ["".join(out["data"]["text/html"]) for cell in cells for out in cell["outputs"]]
        return any("10 failed · 40 done" in state for state in found)

    wait_until(complete)
    for state in found:
        assert "<script" not in state
    assert any("nothing waits" in state for state in found)
