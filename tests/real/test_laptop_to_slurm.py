"""The notebook that goes from a laptop to SLURM: one line differs, and no value does."""

import json
from pathlib import Path

import nbformat
import numpy as np
import pytest

from pilot_kernel.__main__ import main
from tests.conftest import wait_until
from tests.jupyter.executed_notebook import execute

pytestmark = pytest.mark.real

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "07_laptop_to_slurm.ipynb"
HERE = "%pilot add local:// --name work --cores 2"
THERE = (
    "%pilot add slurm:// --name work --nodes 2 --cores 1 --memory 2GB --walltime 0:20:00 "
    "--interface lo"
)
ASKED = """
import json, sys
told = {"place": place, "values": values, "counts": counts}
told["pilots"] = sorted({row.pilot for row in session.history()})
sys.stdout.write("TOLD" + json.dumps(told))
"""


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """The kernel's specification, for this test only."""
    prefix = tmp_path / "prefix"
    assert main(["install", "--prefix", str(prefix)]) == 0
    monkeypatch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))


def told_by(line):
    """Run the notebook with that line in it; what its variables came to be."""
    notebook = nbformat.read(NOTEBOOK, 4)
    changed = [cell for cell in notebook.cells if cell.source == HERE]
    assert len(changed) == 1
    changed[0].source = line
    asked = "import pilot_kernel; session = pilot_kernel.session()" + ASKED
    notebook.cells.append(nbformat.v4.new_code_cell(asked))
    execute(notebook)
    said = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    (report,) = (cell for cell in notebook.cells if cell.source == "%pilot report")
    assert "under load" in json.dumps(report.outputs)
    return json.loads(said.partition("TOLD")[2])


def test_it_was_saved_as_it_runs_on_a_laptop():
    notebook = nbformat.read(NOTEBOOK, 4)
    assert notebook.metadata.kernelspec.name == "pilot"
    assert not any(cell.get("outputs") for cell in notebook.cells)
    assert [cell.source for cell in notebook.cells].count(HERE) == 1
    lines = "\n".join(c.source for c in notebook.cells if c.cell_type == "code").splitlines()
    assert not any("slurm://" in line for line in lines if line.startswith("%pilot"))


def test_one_line_differs_and_no_value_does(registry_home, slurm, kernels):
    here, there = told_by(HERE), told_by(THERE)
    assert here["place"] == "this machine"
    assert there["place"] == "a batch job"
    assert here["pilots"] == there["pilots"] == ["device", "work"]
    np.testing.assert_allclose(there["values"], here["values"], atol=1e-10)
    assert sum(here["counts"].values()) == 4000
    assert there["counts"] == here["counts"]
    assert [job.name for job in slurm.jobs(over=True)]
    wait_until(lambda: not slurm.jobs())
