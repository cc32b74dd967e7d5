from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"


def test_the_quickstart_runs_from_top_to_bottom(kernelspec, registry_home):
    notebook = nbformat.read(NOTEBOOK, 4)
    assert notebook.metadata.kernelspec.name == "pilot"
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=240, kernel_name="pilot").execute()
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
