"""The pages build from guides, notebooks and docstrings as they are, without a warning."""

import importlib.util
import re
import subprocess
import sys
from urllib.parse import unquote

import pytest

from tests.real.lab import ROOT

pytestmark = pytest.mark.real


def test_the_pages_build_without_a_warning_and_lead_somewhere(tmp_path):
    if importlib.util.find_spec("myst_nb") is None:
        pytest.skip("needs Sphinx: pip install 'qdreamer-lab[docs]'")
    how = ["--quiet", "--fail-on-warning", "--keep-going", "--conf-dir", "docs"]
    kept = ["--doctree-dir", tmp_path / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *how, *kept, ".", tmp_path / "html"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    front = tmp_path / "html" / "docs" / "index.html"
    links = {re.split("[#?]", link)[0] for link in re.findall(r'href="([^"]+)"', front.read_text())}
    inside = [unquote(link) for link in links if link and ":" not in link]
    assert len(inside) > 10
    assert [link for link in inside if not (front.parent / link).exists()] == []
