"""The quickstart in JupyterLab, in a real Chromium, on light and on dark."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pilot_kernel.__main__ import main

pytestmark = pytest.mark.real

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"
SETTINGS = {
    "notification.jupyterlab-settings": {"fetchNews": "false"},
    "themes.jupyterlab-settings": {"theme": "JupyterLab Light"},
}


def _chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")


@pytest.fixture(scope="module")
def lab(tmp_path_factory, registry_home):
    """A JupyterLab with nothing of the user's in it; its URL."""
    home = tmp_path_factory.mktemp("lab")
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "HOME": "home",
    }
    env = {**os.environ, **{name: str(home / folder) for name, folder in folders.items()}}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["PYTHONPATH"] = str(Path(__file__).parents[2])
    for folder in folders.values():
        (home / folder).mkdir()
    for file, values in SETTINGS.items():
        place = home / "settings" / "@jupyterlab" / "apputils-extension"
        place.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(json.dumps(values))
    (home / "work").mkdir()
    shutil.copy(NOTEBOOK, home / "work")
    assert main(["install", "--prefix", str(home / "prefix")]) == 0
    env["JUPYTER_PATH"] = str(home / "prefix" / "share" / "jupyter")
    yield from _serve(home, env)


def _serve(home, env):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        *(f"--port={port}", f"--IdentityProvider.token={token}", "--allow-root"),
        f"--ServerApp.root_dir={home / 'work'}",
    ]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while "is running at" not in (home / "lab.log").read_text():
            assert server.poll() is None, (home / "lab.log").read_text()
            assert time.monotonic() < deadline, (home / "lab.log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK.name}?token={token}"
    finally:
        kernels = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        psutil.wait_procs(kernels, timeout=30)


@pytest.fixture(scope="module")
def page(lab):
    """The quickstart, run from top to bottom."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install playwright"
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        page = browser.new_page(viewport={"width": 1100, "height": 6000})
        page.goto(lab)
        status = page.locator("#jp-main-statusbar")
        sync_api.expect(status).to_contain_text("Idle", timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        # The last cell's output, not its source, which has the same words in it.
        _outputs(page).filter(has_text="standard errors").wait_for(timeout=180_000)
        background = _outputs(page).filter(has_text="background").filter(has_text="2,000 shots")
        background.wait_for(timeout=60_000)
        yield page
        browser.close()


def _outputs(page):
    return page.locator(".jp-OutputArea-output")


def _widths(shapes):
    return shapes.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")


def test_every_cell_ran(page):
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    shown = "\n".join(_outputs(page).all_inner_texts())
    for expected in ("local://", "points fell inside", "4,096 shots", "48 parameter sets"):
        assert expected in shown
    difference = re.search(r"largest difference: (\S+)", shown)
    assert float(difference[1]) < 1e-8


def test_a_cell_in_the_background_was_brought_up_to_date(page):
    done = _outputs(page).filter(has_text="DONE").filter(has_text="background")
    assert done.filter(has_text="2,000 shots").count() == 1


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_pictures_are_drawn_in_the_colours_of_the_theme(page, theme, artifacts):
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_text(f"JupyterLab {theme}", exact=True).click()
    page.wait_for_function(
        "name => document.body.dataset.jpThemeName === name", arg=f"JupyterLab {theme}"
    )
    bars = _outputs(page).filter(has_text="4,096 shots").locator("span[style*='height:12px']")
    curves = page.locator(".jp-OutputArea-output svg polyline")
    # The theme has its name before its style sheet is there; until then nothing is laid out.
    for shape in (bars.nth(0), bars.nth(1), curves.first):
        shape.wait_for(state="visible", timeout=30_000)
    assert bars.count() == 2
    assert all(width > 50 for width in _widths(bars))
    assert curves.count() == 3
    assert _widths(curves)[0] > 200
    page.mouse.move(5, 5)
    page.screenshot(path=artifacts / f"quickstart-{theme.lower()}.png")


@pytest.fixture(scope="module")
def artifacts():
    """Where screenshots stay, for people to look at."""
    folder = Path(__file__).parents[2] / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
