"""`make newcomer-check`: what README has a newcomer do, in a fresh clone, with each step's time.

    python -m tests.real.newcomer

A clone of what is committed, `make demo`, `make lab` with the first notebook in a browser, then a
circuit of one's own: from the command line, and by README's lines in a notebook. Nothing is done
that README does not say; wall seconds, and processor time of all that the step started.
"""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from qdreamer_lab.reference_values import reference_values
from qdreamer_lab.workload.circuit.observables import read_observable
from qdreamer_lab.workload.qasm import load_circuit
from tests.jupyter.document_blocks import blocks
from tests.real.fresh_environment import FreshError, environment
from tests.real.lab import FOLDERS, Lab, chromium, missing, open_notebook, outputs, write_notebook

ROOT = Path(__file__).parents[2]
PATIENCE_S = 900
PATIENCE_MS = 1000 * PATIENCE_S
VALUE = re.compile(r"^  ((?:[XYZ]\d+ ?)+?) +([+-]\d\.\d+)", re.MULTILINE)
"""A line of the demo with an observable and its value."""

OWN = "\n".join(
    [
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[20] q;',
        *(f"ry(0.3) q[{k}];" for k in range(20)),
        *(f"cx q[{k}], q[{k + 1}];" for k in range(19)),
    ]
)
ASKED = "Z0 Z17"


def main():
    """Walk the path; raises what a newcomer would stumble over."""
    if what := missing():
        raise FreshError(what)
    with tempfile.TemporaryDirectory(prefix="newcomer-") as folder:
        home, clone = Path(folder, "home"), Path(folder, "qdreamer-lab")
        home.mkdir()
        env = environment(clone / ".venv", home)
        env["PATH"] = "/usr/local/bin:/usr/bin:/bin"  # nobody has told them to activate anything
        _configure(home, env)
        clock = _Clock()
        _command(["git", "clone", "--quiet", str(ROOT), str(clone)], home, env)
        clock.say("cloned")
        _demo(clone, env, clock)
        with _lab(clone, home, env, clock) as (lab, address), chromium() as browser:
            _first_notebook(browser, address, clock)
            _own_circuit(clone, env, clock)
            _readme_s_lines(browser, lab, clock)
        left = subprocess.run(
            ["git", "status", "--short"], cwd=clone, capture_output=True, text=True, check=True
        )
        print(f"left in the clone beside what was made by hand:\n{left.stdout}", end="")


class _Clock:
    """Says how long each step took."""

    def __init__(self):
        self.began = self._last = time.monotonic()
        self._spent = _children_s()

    def say(self, what):
        now, spent = time.monotonic(), _children_s()
        told = f"{now - self.began:6.0f} s (+{now - self._last:.0f}): {what}"
        used = spent - self._spent
        print(told + (f"; {used:.0f} s of processor time" if used > 1 else ""), flush=True)
        self._last, self._spent = now, spent


def _children_s():
    """Processor time of what was started and has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _configure(home, env):
    """What a machine without a screen and a user called root need, and README's reader does not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, folder in FOLDERS.items():
        if name.startswith("JUPYTER"):
            env[name] = str(home / folder)
            (home / folder).mkdir()
    told = {"allow_root": True, "open_browser": False, "port": port}
    settings = home / "config" / "jupyter_server_config.json"
    settings.write_text(json.dumps({"ServerApp": told}))


def _command(words, folder, env, seen=None):
    """Run a command to its end, and return what it said; `seen` is told each line as it comes."""
    with subprocess.Popen(
        words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        said = []
        for line in running.stdout:
            said.append(line)
            if seen is not None:
                seen(line)
    if running.returncode:
        raise FreshError(f"{' '.join(words)} ended with {running.returncode}:\n{''.join(said)}")
    return "".join(said)


def _demo(clone, env, clock):
    """`make demo`, from nothing: when it is set up, and when there is a value.

    A demo that compiles would count that as time of its run, and predict from it.
    """
    marks = {
        "-m pilot_kernel install": "packages are installed",
        "bin/qdreamer-lab demo": "the demo's kernels are compiled",
        "check        agrees": "FIRST VALUES, checked",
        "notebook     all cells": "the other kernels are compiled",
    }
    compiled = {}

    def seen(line):
        for mark in [mark for mark in marks if mark in line]:
            compiled[mark] = set((clone / "qdreamer_lab").rglob("*.nbc"))
            clock.say(marks.pop(mark))

    said = _command(["make", "demo"], clone, env, seen)
    clock.say("make demo has run the first notebook, too")
    if marks or len(VALUE.findall(said)) != 3:
        raise FreshError(f"make demo did not say all that it should:\n{said}")
    if "their first calls" in said:  # of what `warm` has left out
        raise FreshError(f"not all kernels were compiled:\n{said}")
    if late := compiled["check        agrees"] - compiled["bin/qdreamer-lab demo"]:
        raise FreshError(f"the demo had to compile {', '.join(sorted(f.stem for f in late))}")


@contextlib.contextmanager
def _lab(clone, home, env, clock):
    """`make lab`: the server, and the address that it tells."""
    log = home / "lab.log"
    with log.open("wb") as out:
        server = subprocess.Popen(["make", "lab"], cwd=clone, env=env, stdout=out, stderr=out)
    try:
        address = None
        while address is None:
            if server.poll() is not None:
                raise FreshError(f"make lab ended:\n{log.read_text()}")
            time.sleep(0.05)
            address = re.search(r"http://127\.0\.0\.1\S+token=(\w+)", log.read_text())
        clock.say("make lab tells its address")
        root = address[0].partition("/lab")[0]
        yield Lab(clone / "notebooks", root, address[1]), address[0]
    finally:
        family = psutil.Process(server.pid).children(recursive=True)
        for process in family:
            if "jupyter" in " ".join(process.cmdline()[:2]):
                process.send_signal(signal.SIGTERM)
        server.wait(60)
        psutil.wait_procs(family, timeout=60)


def _first_notebook(browser, address, clock):
    """The address as it was told; the first cells, until there is a number in them."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    page.locator("#jp-main-statusbar").get_by_text("Idle").wait_for(timeout=PATIENCE_MS)
    clock.say("the first notebook is open, its kernel ready")
    cells = page.locator(".jp-CodeCell")
    cells.first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cells.first.locator(".jp-OutputArea-output").first.wait_for(timeout=PATIENCE_MS)
    clock.say("its first cell has answered")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".jp-OutputArea-output", has_text=re.compile(r"^3\.14\d+")).first.wait_for(
        timeout=PATIENCE_MS
    )
    clock.say("pi is there, from a worker")
    page.close()


def _own_circuit(clone, env, clock):
    """A file of one's own with `make demo`, as README writes it."""
    file = clone / "my.qasm"
    file.write_text(OWN)
    words = ["make", "demo", f"CIRCUIT={file.name}", f"OBSERVABLE={ASKED}", "MAX_QUBITS=12"]
    said = _command(words, clone, env)
    ((_, value),) = VALUE.findall(said)
    circuit = load_circuit(file)
    _agree([float(value)], circuit, [read_observable(ASKED, circuit.num_qubits)])
    clock.say("a circuit of one's own, from a file")


def _readme_s_lines(browser, lab, clock):
    """README's lines for a circuit that is too wide, typed into a new notebook."""
    code = [text for kind, text in blocks(ROOT / "README.md") if kind == "python"]
    cells = [text for text in code if "efficient_su2(36" in text or "CutEstimator(max" in text][:2]
    name = "own.ipynb"
    write_notebook(lab.work / name, [*cells, "print('values', *result.data.evs)"])
    page = open_notebook(browser, lab, name, width=1280, height=800)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    told = outputs(page).get_by_text(re.compile(r"^values "))
    told.wait_for(timeout=PATIENCE_MS)
    known = {}
    exec(cells[0], known)  # README's own lines
    circuit = known["circuit"]
    wanted = [read_observable(text, circuit.num_qubits) for text in known["observables"]]
    _agree([float(word) for word in told.inner_text().split()[1:]], circuit, wanted)
    clock.say("README's lines in a notebook have given their values")
    page.close()


def _agree(values, circuit, observables):
    """Raise unless values are Aer's to 1e-8."""
    wanted = reference_values(circuit, observables).values
    if len(values) != len(wanted) or max(abs(wanted - values)) > 1e-8:
        raise FreshError(f"got {values}, Aer says {list(wanted)}")


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        main()
    except FreshError as error:
        sys.exit(f"newcomer: {error}")
