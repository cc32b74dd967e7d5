"""A JupyterLab with nothing of the user's in it, a real Chromium, and what one does with them."""

import contextlib
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import psutil

from pilot_kernel.__main__ import main

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "notification.jupyterlab-settings": {"fetchNews": "false"},
    "themes.jupyterlab-settings": {"theme": "JupyterLab Light"},
}
WITHIN = "QDREAMER_LAB_WITHIN"
"""The variable with a command that the server is run by, such as `taskset -c 0`."""

_CLOSING_S = 30
"""How long a kernel may take to close its session: the machine may be busy."""

_RUNNING = re.compile(r"is running at:\n.*(http://127\.0\.0\.1:\d+)/")

FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
    "HOME": "home",
}


@dataclass(frozen=True)
class Lab:
    """A server: the folder that it serves, and its address."""

    work: Path
    root: str
    token: str

    def url(self, notebook):
        # A workspace of its own: the usual one would bring back the notebooks opened before.
        space = f"workspaces/{Path(notebook).stem}"
        return f"{self.root}/lab/{space}/tree/{notebook}?token={self.token}"


@contextlib.contextmanager
def serving(home):
    """A JupyterLab that keeps everything in the empty folder `home`, kernels included."""
    env = {**os.environ, **{name: str(home / folder) for name, folder in FOLDERS.items()}}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["PYTHONPATH"] = str(ROOT)
    for folder in FOLDERS.values():
        (home / folder).mkdir()
    for file, values in SETTINGS.items():
        place = home / "settings" / "@jupyterlab" / "apputils-extension"
        place.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(json.dumps(values))
    (home / "work").mkdir()
    assert main(["install", "--prefix", str(home / "prefix")]) == 0
    env["JUPYTER_PATH"] = str(home / "prefix" / "share" / "jupyter")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [
        *shlex.split(os.environ.get(WITHIN, "")),
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        *(f"--port={port}", f"--IdentityProvider.token={token}", "--allow-root"),
        f"--ServerApp.root_dir={home / 'work'}",
        # After half of that a kernel is ended by a signal, and its agent stays.
        f"--KernelManager.shutdown_wait_time={2 * _CLOSING_S}",
    ]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    found = None
    try:
        deadline = time.monotonic() + 60
        while (found := _RUNNING.search((home / "lab.log").read_text())) is None:
            assert server.poll() is None, (home / "lab.log").read_text()
            assert time.monotonic() < deadline, (home / "lab.log").read_text()
            time.sleep(0.1)
        yield Lab(home / "work", found[1], token)  # on another port, if that was taken meanwhile
    finally:
        kernels = psutil.Process(server.pid).children(recursive=True)
        _end_kernels(found[1] if found else None, token)
        server.send_signal(signal.SIGTERM)
        server.wait(3 * _CLOSING_S)
        _, left = psutil.wait_procs(kernels, timeout=30)
        assert not left, f"left behind: {left}\n{(home / 'lab.log').read_text()}"


def _end_kernels(root, token):
    """Shut kernels down one by one, as people do: each is given the time to close its session."""
    if root is None:
        return
    headers = {"Authorization": f"token {token}"}
    kernels = f"{root}/api/kernels"
    with urlopen(Request(kernels, headers=headers), timeout=_CLOSING_S) as answer:
        running = [kernel["id"] for kernel in json.load(answer)]
    for each in running:
        request = Request(f"{kernels}/{each}", headers=headers, method="DELETE")
        urlopen(request, timeout=3 * _CLOSING_S).close()


def missing():
    """What has to be installed before there is a browser, in words; empty if nothing."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "needs playwright: pip install playwright"
    return "" if _chromium() else "needs Chromium: apt-get install chromium fonts-dejavu-core"


@contextlib.contextmanager
def chromium(*arguments):
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *arguments],
        )
        yield launched
        launched.close()


def _chromium():
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def write_notebook(path, cells, kernel="pilot"):
    """Write a notebook.

    Args:
        path: to be written.
        cells: sources of its code cells.
        kernel: name of its kernel; "python3" starts no pilot.
    """
    made = [
        {
            "cell_type": "code",
            "id": f"cell-{at}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for at, source in enumerate(cells)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    content = {"cells": made, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content))


def open_notebook(browser, lab, name, scale=1, **viewport):
    """A page with a notebook in it whose kernel is ready; `scale` is pixels per CSS pixel."""
    page = browser.new_page(viewport=viewport, device_scale_factor=scale)
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
