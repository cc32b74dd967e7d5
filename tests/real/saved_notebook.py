"""Run the explorer's notebook and keep its outputs, so that it reads well where nothing runs.

    python -m tests.real.saved_notebook

Widgets and scripts are left out: text, tables and pictures stay. `make screenshots` runs it.
"""

import base64
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from plotly.offline import get_plotlyjs

from pilot_kernel.__main__ import main as install
from tests.real.lab import chromium, missing
from tests.real.screenshots import NOTEBOOK
from tests.real.small_png import small_png

PLOTLY = "application/vnd.plotly.v1+json"
LEFT_OUT = ("application/vnd.jupyter.widget-view+json", PLOTLY)
SIZE = {"width": 900, "height": 460}


def main():
    """Run it and write it back."""
    if what := missing():
        sys.exit(what)
    notebook = nbformat.read(NOTEBOOK, 4)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PILOT_KERNEL_HOME"] = str(Path(home) / "registry")
        os.environ["JUPYTER_PATH"] = str(Path(home) / "share" / "jupyter")
        install(["install", "--prefix", home])
        NotebookClient(
            notebook, timeout=300, kernel_name="pilot", store_widget_state=False
        ).execute()
    notebook.metadata.pop("widgets", None)
    with chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)
            for output in cell.get("outputs", ()):
                if "data" in output:
                    output.data = _static(output.data, page)
            if "outputs" in cell:  # the live explorer leaves nothing
                cell.outputs = [each for each in cell.outputs if _says(each)]
    nbformat.write(notebook, NOTEBOOK)
    print(f"{NOTEBOOK}: {NOTEBOOK.stat().st_size / 1e3:.0f} kB")


def _says(output):
    return "data" not in output or any(output.data.values())


def _static(data, page):
    """What an output shows without scripts; figures as pictures."""
    kept = {kind: value for kind, value in data.items() if kind not in LEFT_OUT}
    if PLOTLY in data:
        kept = {"text/plain": "Figure", "image/png": _picture(data[PLOTLY], page)}
    return kept


def _picture(figure, page):
    page.set_content('<body style="margin:0"><div id="figure"></div></body>')
    page.add_script_tag(content=get_plotlyjs())
    page.evaluate(
        "([data, layout, size]) => Plotly.newPlot('figure', data, {...layout, ...size})",
        [figure["data"], figure["layout"], SIZE],
    )
    return base64.b64encode(small_png(page, page.locator("#figure").screenshot())).decode()


if __name__ == "__main__":
    main()
