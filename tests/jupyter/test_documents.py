"""README and the guides: every block runs, every command exists, every link leads somewhere."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pilot_kernel import errors as pilot_errors
from qdreamer_lab import errors as lab_errors
from qdreamer_lab.cli import _parser
from tests.jupyter.document_blocks import blocks

ROOT = Path(__file__).parents[2]
GUIDES = sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = [Path("README.md"), *GUIDES]
RUN = [path for path in GUIDES if any(kind == "python" for kind, _ in blocks(ROOT / path))]


@pytest.mark.parametrize("paths", [DOCUMENTS[:1], RUN], ids=["README", "guides"])
def test_all_blocks_run(paths, tmp_path, registry_home):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
    env |= {"XDG_CACHE_HOME": str(tmp_path), "PILOT_KERNEL_HOME": str(registry_home)}
    command = [sys.executable, "-m", "tests.jupyter.document_blocks"]
    command += [str(ROOT / path) for path in paths]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" blocks ran\n") == len(paths)


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_commands_exist(path):
    """Shell blocks, and commands within sentences."""
    text = (ROOT / path).read_text()
    shell = [line for kind, body in blocks(ROOT / path) if not kind for line in body.splitlines()]
    shell += re.findall(r"`((?:make|qdreamer-lab|python -m|pip install) [^`…]*)`", text)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in shell:
        first, _, rest = line.partition("#")[0].strip().partition(" ")
        if first == "make":
            assert set(rest.split()[:1]) <= targets, line
        elif first == "qdreamer-lab":
            _parser().parse_args(rest.split())
        elif first == "python":
            module = rest.split()[1]
            assert importlib.util.find_spec(module) is not None, line


@pytest.mark.parametrize("path", [*DOCUMENTS, Path("CONTRIBUTING.md")], ids=str)
def test_links_lead_somewhere(path):
    text = FENCED.sub("", (ROOT / path).read_text())
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)", text):
        if not target.startswith(("http://", "https://")):
            assert (ROOT / path.parent / target).exists(), target
    for anchor_of, anchor in re.findall(r"\]\(([^)#\s]*\.md)?#([\w-]+)\)", text):
        page = ROOT / path.parent / anchor_of if anchor_of else ROOT / path
        assert anchor in anchors(page.read_text()), f"{anchor_of}#{anchor}"


FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def anchors(text):
    """What GitHub and MyST call the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs/index.md").read_text()
    pages = [*(path.stem for path in GUIDES if path.stem != "index")]
    pages += [f"../notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    assert all(re.search(rf"^{re.escape(page)}$", index, re.MULTILINE) for page in pages)


def test_the_page_of_errors_has_all_classes_and_messages():
    spec = importlib.util.spec_from_file_location("errors_raised", ROOT / "docs/errors_raised.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    page = made.errors_page()
    for name in (*pilot_errors.__all__, *lab_errors.__all__):
        assert f"### {name}\n" in page
    assert "- `there is no pilot …; there is: …`" in page
    assert "PUB … measures nothing; add measure_all() to the circuit, or give observables" in page
    assert page.count("\n- ") > 200
