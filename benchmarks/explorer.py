"""The cut explorer in JupyterLab and Chromium: how soon all views follow the slider.

    python -m benchmarks.explorer [--moves 20]     # needs Chromium and `pip install playwright`

A move is a drag of the width and a release. "Python" is the time in the kernel from hearing of it
to having sent all views, "browser" that from the release to all views drawn, told by the browser's
Performance API; both are medians. Views answer with the best plan known and refine later. The
first display is still pictures, which figures take the place of. What is wanted is wanted on a
machine that does nothing else.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.real.explorer_page import CIRCUIT, Explorer
from tests.real.lab import chromium, missing, open_notebook, serving, write_notebook

WANTED_S = {36: (0.1, 0.25), 127: (0.5, 0.5)}
FIRST_S = 1.5
WIDE = """
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import CouplingMap

pairs = [pair for pair in CouplingMap.from_heavy_hex(7).get_edges() if max(pair) < 127]
pairs = sorted({tuple(sorted(pair)) for pair in pairs})
circuit = QuantumCircuit(127)
circuit.rx(0.4, range(127))
for first, second in pairs:
    circuit.rzz(-1.57, first, second)
circuit.rx(0.6, range(127))
observables = SparsePauliOp.from_sparse_list([("Z", [k], 1 / 127) for k in range(127)], 127)
"""
SETUP = """
import json, os, time
import pilot_kernel
import qdreamer_lab.widgets.explorer
from qdreamer_lab import CutExplorer

session = pilot_kernel.session()
session.submit(pow, 2, 10).result()  # the workers are up, and do not take the browser's time
"""
OPEN = """
def note(**what):
    with open("FILE", "a") as file:
        file.write(json.dumps(what) + "\\n")

note(pid=os.getpid(), began=time.time())
explorer = CutExplorer(circuit, observables, session=session)
note(made=time.time())
update = explorer._board.update

def updated(parts, stamp):
    update(parts, stamp)
    note(updated=time.perf_counter(), width=stamp["width"])

explorer._board.update = updated
explorer._panel.width.observe(
    lambda change: note(moved=time.perf_counter(), width=change["new"]), names="value"
)
explorer
"""
DRAWN = """() => performance.getEntriesByName("qdreamer:update").map(
  (mark) => [mark.startTime + mark.duration, mark.detail.width])"""


class Opened:
    """An explorer in a browser, and what its kernel noted."""

    def __init__(self, browser, lab, num_qubits, circuit):
        name = f"explorer-{num_qubits}"
        self.notes_file = lab.work / f"{name}.jsonl"
        cells = [circuit, SETUP, OPEN.replace("FILE", str(self.notes_file))]
        write_notebook(lab.work / f"{name}.ipynb", cells)
        self.page = open_notebook(browser, lab, f"{name}.ipynb", width=1280, height=800)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.page.locator(".qd-board[data-serial]").wait_for(timeout=180_000)
        self.explorer = Explorer(self.page)
        self.explorer.ready()
        self.page.evaluate(
            "() => addEventListener('mouseup', () => (window.released = performance.now()), true)"
        )
        self.devtools = self.page.context.new_cdp_session(self.page)

    @property
    def notes(self):
        """What the kernel noted so far."""
        return [json.loads(line) for line in self.notes_file.read_text().splitlines()]

    def made_s(self):
        """How long the call itself took."""
        return next(note["made"] for note in self.notes if "made" in note) - self.notes[0]["began"]

    def first_display_s(self, measured="still"):
        """From the call to all views on the page: "still", or as figures of plotly ("update")."""
        origin = self.page.evaluate("() => performance.timeOrigin")
        ends = self.page.evaluate(DRAWN.replace("qdreamer:update", f"qdreamer:{measured}"))
        return (origin + ends[0][0]) / 1e3 - self.notes[0]["began"]

    def move(self, part):
        """Drag to a part of the slider's way; seconds in Python and in the browser."""
        before = len(self.notes)
        self.page.evaluate("() => performance.clearMeasures('qdreamer:update')")
        self.explorer.drag(part)
        self.explorer.shows_its_width()
        width = self.explorer.width
        notes = [note for note in self.notes[before:] if note.get("width") == width]
        moved = next(note["moved"] for note in notes if "moved" in note)
        sent = next(note["updated"] for note in notes if note.get("updated", 0) > moved)
        ends = [end for end, drawn in self.page.evaluate(DRAWN) if drawn == width]
        released = self.page.evaluate("() => window.released")
        return sent - moved, max(0.0, ends[0] - released) / 1e3

    def hundred(self):
        """A hundred moves as fast as they come; whether one state is left."""
        self.explorer.drag(*((37 * step % 100) / 100 for step in range(100)), 0.5)
        self.explorer.shows_its_width()
        summary = self.explorer.summary.inner_text()
        return int(re.search(r"≤ (\d+)", summary)[1]) == self.explorer.width

    def memory(self):
        """MB of the kernel, and of the page's objects after a collection of garbage."""
        self.devtools.send("HeapProfiler.collectGarbage")
        heap = self.devtools.send("Runtime.getHeapUsage")["usedSize"]
        return psutil.Process(self.notes[0]["pid"]).memory_info().rss / 1e6, heap / 1e6


def row(what, seen, wanted):
    """A line of the table."""
    met = "" if wanted is None else f"{1e3 * wanted:6.0f} ms  {'yes' if seen <= wanted else 'NO'}"
    print(f"{what:44} {1e3 * seen:7.0f} ms  {met}", flush=True)


def measure(opened, num_qubits, moves):
    """All that is wanted of one explorer."""
    print(f"\n{num_qubits} qubits{'':34}    seen      wanted")
    row("first display after import", opened.first_display_s(), FIRST_S)
    row("until plotly's figures have taken its place", opened.first_display_s("update"), None)
    row("of that CutExplorer(...) itself", opened.made_s(), None)
    opened.move(0.5)
    times = [opened.move(0.2 + 0.7 * (k * 7 % moves) / moves) for k in range(moves)]
    python, browser = zip(*times, strict=True)
    wanted = WANTED_S[num_qubits]
    row(f"Python, median of {moves} moves", statistics.median(python), wanted[0])
    row(f"browser, median of {moves} moves", statistics.median(browser), wanted[1])
    row("browser, the slowest", max(browser), None)
    for time_of in ("first", "second"):
        before = opened.memory()
        consistent = opened.hundred()
        (rss, heap), (rss_was, heap_was) = opened.memory(), before
        print(
            f"{time_of} hundred fast moves: {'one' if consistent else 'NO'} consistent state; "
            f"kernel {rss_was:.0f} -> {rss:.0f} MB, page {heap_was:.0f} -> {heap:.0f} MB",
            flush=True,
        )


def main():
    """Measure both widths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=20)
    arguments = parser.parse_args()
    if what := missing():
        sys.exit(f"benchmarks.explorer {what}")
    began = time.monotonic()
    for num_qubits, circuit in ((36, CIRCUIT), (127, WIDE)):
        with tempfile.TemporaryDirectory() as home:
            os.environ["PILOT_KERNEL_HOME"] = str(Path(home) / "registry")
            served = Path(home) / "lab"
            served.mkdir()
            with serving(served) as lab, chromium() as browser:
                opened = Opened(browser, lab, num_qubits, circuit)
                measure(opened, num_qubits, arguments.moves)
                opened.page.close()
    print(f"\nmeasured in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
