"""A notebook run from top to bottom in a kernel of its own, and what it then says."""

import os
from pathlib import Path

from nbclient import NotebookClient
from traitlets.config import Config

from tests.conftest import agents_of, wait_until
from tests.jupyter.conftest import manager_traits


def execute(notebook, folder=None, **options):
    """Run all cells in a new kernel, in a folder if one is given, and see its agent off.

    Args:
        notebook: What is run.
        folder: Where.
        **options: Further options of nbclient's `NotebookClient`.
    """
    home = Path(os.environ["PILOT_KERNEL_HOME"])
    before = {agent.pid for agent in agents_of(home)}
    resources = {"metadata": {"path": str(folder)}} if folder else {}
    with manager_traits() as traits:
        config = Config({"KernelManager": traits})
        NotebookClient(
            notebook,
            kernel_name="pilot",
            timeout=240,
            config=config,
            resources=resources,
            **options,
        ).execute()
    wait_until(lambda: {agent.pid for agent in agents_of(home)} <= before, timeout_s=120)


def tagged(notebook, tag):
    """The cells that have a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


def texts(cell):
    """What a cell showed, as text."""
    return [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", ())
    ]


def judged(notebook):
    """Check what is said of exercises, which are open, and of solutions, which are right."""
    open_ones = [text for cell in tagged(notebook, "exercise") for text in texts(cell)]
    right = [text for cell in tagged(notebook, "solution") for text in texts(cell)]
    assert len([text for text in open_ones if "○ Not yet" in text]) == len(open_ones) >= 2
    assert len([text for text in right if "✓ Right" in text]) == len(open_ones)
    assert not any("✗" in text for text in right)
