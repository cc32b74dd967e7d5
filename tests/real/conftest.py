"""A JupyterLab with nothing of the user's in it, and a real Chromium to look at it."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pilot_kernel.__main__ import main

SETTINGS = {
    "notification.jupyterlab-settings": {"fetchNews": "false"},
    "themes.jupyterlab-settings": {"theme": "JupyterLab Light"},
}


@dataclass(frozen=True)
class Lab:
    """A server: the folder that it serves, and its address."""

    work: Path
    root: str
    token: str

    def url(self, notebook):
        return f"{self.root}/lab/tree/{notebook}?token={self.token}"


def _chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")


@pytest.fixture(scope="session")
def lab(tmp_path_factory, registry_home):
    """One server for all browser tests."""
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
        yield Lab(home / "work", f"http://127.0.0.1:{port}", token)
    finally:
        kernels = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        psutil.wait_procs(kernels, timeout=30)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all browser tests."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install playwright"
    )
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def artifacts():
    """Where screenshots stay, for people to look at."""
    folder = Path(__file__).parents[2] / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


def open_notebook(browser, lab, name, **viewport):
    """A page with a notebook in it whose kernel is ready."""
    page = browser.new_page(viewport=viewport)
    page.goto(lab.url(name))
    page.locator("#jp-main-statusbar").get_by_text("Idle").wait_for(timeout=60_000)
    return page


def run_all(page):
    """Start all cells."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def use_theme(page, theme):
    """Switch to the theme `Light` or `Dark`, and wait for it."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).hover()
    page.get_by_text(f"JupyterLab {theme}", exact=True).click()
    page.wait_for_function(
        "name => document.body.dataset.jpThemeName === name", arg=f"JupyterLab {theme}"
    )


def outputs(page):
    """What the cells brought."""
    return page.locator(".jp-OutputArea-output")
