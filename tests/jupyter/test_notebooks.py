"""The notebooks: they run from top to bottom, and read well as they were saved."""

import json
import math
from pathlib import Path

import nbformat
import pytest

from tests.jupyter.executed_notebook import execute, judged

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"
EXPLORER = Path(__file__).parents[2] / "notebooks" / "02_cut_explorer.ipynb"
DEVICES = Path(__file__).parents[2] / "notebooks" / "10_devices.ipynb"
MOTIFS = Path(__file__).parents[2] / "notebooks" / "08_motifs.ipynb"
MOST_BYTES = 1_500_000


def _outputs(notebook, word):
    """What the cells with a word in their source brought."""
    cells = [c for c in notebook.cells if c.cell_type == "code" and word in c.source]
    assert cells
    return [output for cell in cells for output in cell.outputs]


def test_the_notebook_runs_from_top_to_bottom(kernelspec, registry_home, own_cache):
    notebook = nbformat.read(EXPLORER, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    execute(notebook)
    shown, live = _outputs(notebook, "CutExplorer(circuit")
    assert "application/vnd.jupyter.widget-view+json" in live.data
    assert "application/vnd.jupyter.widget-view+json" not in shown.data
    assert "<img" in shown.data["text/html"]
    assert "Sampling overhead" in shown.data["text/plain"]
    for function in ("figures.pareto(", "figures.circuit(", "figures.timeline("):
        (figure,) = _outputs(notebook, function)[-1:]
        assert figure.data["application/vnd.plotly.v1+json"]["data"]
    judged(notebook)


def test_the_saved_notebook_shows_a_picture_and_a_table_where_nothing_runs():
    text = EXPLORER.read_text()
    notebook = nbformat.reads(text, 4)
    assert notebook.metadata.kernelspec.name == "pilot"
    assert "widgets" not in notebook.metadata
    (shown,) = _outputs(notebook, "CutExplorer(circuit")
    assert set(shown.data) == {"text/html", "text/plain"}
    assert "<img" in shown.data["text/html"]
    assert "<table" in shown.data["text/html"]
    for function in ("figures.pareto(", "figures.circuit(", "figures.timeline("):
        assert any("image/png" in output.data for output in _outputs(notebook, function))
    assert len(text) < MOST_BYTES
    assert "plotly.js" not in text
    assert "<script" not in json.dumps(notebook)


def test_the_notebooks_pictures_are_there():
    notebook = nbformat.read(EXPLORER, 4)
    told = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    names = [part.split(")")[0] for part in told.split("](pictures/")[1:]]
    assert len(names) >= 4
    for name in names:
        assert 10_000 < (EXPLORER.parent / "pictures" / name).stat().st_size < 150_000


def test_the_quickstart_runs_from_top_to_bottom(kernelspec, registry_home, own_cache):
    notebook = nbformat.read(QUICKSTART, 4)
    assert notebook.metadata.kernelspec.name == "pilot"
    assert not any(cell.get("outputs") for cell in notebook.cells)
    execute(notebook)
    shown = [
        output.data.get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type in ("display_data", "execute_result")
    ]
    assert any("4,096 shots" in text for text in shown)
    background = [text for text in shown if "2,000 shots" in text]
    assert len(background) == 1
    assert "DONE" in background[0]
    judged(notebook)


def test_the_notebook_of_devices_runs_from_top_to_bottom(kernelspec, registry_home, own_cache):
    notebook = nbformat.read(DEVICES, 4)
    assert notebook.metadata.kernelspec.name == "pilot"
    assert not any(cell.get("outputs") for cell in notebook.cells)
    execute(notebook)
    (told,) = _outputs(notebook, "--dry-run")[-1:]
    assert "nothing was sent" in told.data["text/plain"]
    assert "on manila: " in told.data["text/plain"]
    assert "on quito: " in told.data["text/plain"]
    printed = "".join(output.get("text", "") for output in _outputs(notebook, "noisy[0]"))
    assert "'manila'" in printed
    assert "'quito'" in printed
    advised = "".join(output.get("text", "") for output in _outputs(notebook, "QDreamer("))
    assert "off by about" in advised
    assert "The best elsewhere" in advised


def test_the_notebook_of_motifs_runs(kernelspec, registry_home, own_cache):
    notebook = nbformat.read(MOTIFS, 4)
    execute(notebook)
    (shown,) = _outputs(notebook, "%motif circuit-execution")
    assert "mean of Z" in shown.data["text/html"]
    (drawn,) = _outputs(notebook, "report.figure()")
    assert len(drawn.data["application/vnd.plotly.v1+json"]["data"]) == 5
    for name in ("state-vector", "circuit-cutting", "variational", "learning", "pipeline"):
        assert "overhead" in _outputs(notebook, f"%motif {name}")[-1].data["text/html"]
    (state,) = _outputs(notebook, "%motif state-vector")[-1:]
    error = state.data["text/html"].split("largest error of a value: ")[1].split("<")[0]
    assert float(error) < 1e-12
    (loop,) = _outputs(notebook, "%motif variational")[-1:]
    assert "true minimum: -1.8572" in loop.data["text/html"]
    (total,) = _outputs(notebook, "run_steps(")
    expected = sum(math.cos(number / 10) for number in range(5))
    assert float(total.data["text/plain"].strip("(),")) == pytest.approx(expected)
    judged(notebook)
