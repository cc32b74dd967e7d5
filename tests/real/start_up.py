"""How long a visitor waits: for JupyterLab, for a notebook to type in, and for the explorer.

    python -m tests.real.start_up

It says wall seconds, and processor time of the server, its kernels and what these started; what
else runs on this machine counts in the first and hardly in the second. `make binder-check` runs it.
"""

import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.real.explorer_page import CIRCUIT, Explorer
from tests.real.lab import chromium, missing, open_notebook, run_all, serving, write_notebook

CELLS = (CIRCUIT, "from qdreamer_lab import CutExplorer\nCutExplorer(circuit, observables)")


def main():
    """Start, open, run, and say how long each took."""
    if what := missing():
        sys.exit(what)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        watch = _Watch()
        with serving(Path(home)) as lab:
            watch.say("JupyterLab answers")
            write_notebook(lab.work / "first.ipynb", CELLS)
            page = open_notebook(browser, lab, "first.ipynb", width=1280, height=800)
            watch.say("a notebook is open, its kernel ready")
            run_all(page)
            page.locator(".qd-board .main-svg").first.wait_for(timeout=180_000)
            watch.say("the explorer is drawn")
            Explorer(page).ready()
            watch.say("it knows all plans")
            page.close()


class _Watch:
    """Says how long it has been since it was made, and since it last said so."""

    def __init__(self):
        self._began = self._last = time.monotonic()
        self._spent = 0.0

    def say(self, what):
        now, spent = time.monotonic(), _processor_s()
        took, used = now - self._last, spent - self._spent
        print(f"{now - self._began:6.1f} s (+{took:.1f}, {used:.1f} of processor time): {what}")
        self._last, self._spent = now, spent


def _processor_s():
    """Processor time of the server, its kernels and their workers; not the browser's."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" not in process.name():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
