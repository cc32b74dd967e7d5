"""Runs the `python` blocks of documents from top to bottom, as cells of a notebook for each.

    python -m tests.jupyter.document_blocks README.md docs/*.md

What needs a cluster, other hosts or a scheduler file is run as far as it goes without them: such a
pilot's description is checked, its batch script written where it has one, and workers of this
machine take its place, with its tags, its name and the cores that a task there may ask for.
"""

import re
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import pilot_kernel
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.sessions.current import current
from pilot_kernel.sessions.session import Session

ELSEWHERE = ("slurm", "ssh", "dask", "pbs")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path):
    """The fenced blocks of a document: language and text of each."""
    return FENCE.findall(Path(path).read_text())


def add_stand_in(session, resource="local://", **keys):
    """As `Session.add_pilot`, with workers of this machine for those of other machines."""
    scheme = resource.partition("://")[0]
    if scheme not in ELSEWHERE:
        return add_pilot(session, resource, **keys)
    described = pilot_kernel.PilotDescription.coerce(resource, **keys)
    by_scheme.check_description(described)
    if scheme not in ("ssh", "dask"):
        assert "#SBATCH" in pilot_kernel.job_script(resource, **keys)
    cores = described.cores_per_worker
    here = {"cores_per_node": cores, "cores_per_worker": cores, "tags": described.tags}
    return add_pilot(session, "local://", name=described.name or scheme, **here)


add_pilot = Session.add_pilot


def run_all(paths):
    """Run documents' blocks, each document with variables and a session of its own.

    Raises:
        SystemExit: One failed; what it said was printed.
    """
    Session.add_pilot = add_stand_in
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    for path in paths:
        shell.reset(new_session=False)
        run_document(shell, path)


def run_document(shell, path):
    """Run a document's blocks, and close the session that it may have left open."""
    cells = [text for language, text in blocks(path) if language == "python"]
    for number, cell in enumerate(cells, start=1):
        outcome = shell.run_cell(cell)
        if not outcome.success:
            sys.exit(f"{path}: block {number} failed:\n{cell}")
    if (session := current()) is not None:
        session.close()
    print(f"{path}: {len(cells)} blocks ran")


if __name__ == "__main__":
    run_all(sys.argv[1:])
