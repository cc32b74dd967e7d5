"""What the packages import is declared in pyproject.toml, and does not come with others only."""

import ast
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = frozenset({"pilot_kernel", "qdreamer_lab"})
NAMES = {
    "pynvml": "nvidia-ml-py",
    "sklearn": "scikit-learn",
}
"""Distributions that are not called like what they bring."""

UNDECLARED = frozenset({"qiskit-braket-provider"})
"""What nobody can have beside Dask: pyproject.toml says why there is no extra for it."""


def imported(source):
    """The top-level packages that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - OURS


def distribution(name):
    """A distribution's name in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", NAMES.get(name, name)).lower()


@pytest.fixture(scope="module")
def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    named = chain(project["dependencies"], *extras)
    return {distribution(re.match(r"[\w.-]+", each)[0]) for each in named}


@pytest.mark.parametrize("package", sorted(OURS))
def test_what_is_imported_is_declared(package, declared):
    sources = (path.read_text() for path in (ROOT / package).rglob("*.py"))
    wanted = {distribution(name) for name in set().union(*map(imported, sources))}
    missing = wanted - declared - UNDECLARED
    assert not missing


def test_imports_are_seen_wherever_they_stand():
    source = (
        "import os, a.b\nfrom . import c\nfrom d.e import f\ndef g():\n    import qdreamer_lab, h\n"
    )
    assert imported(source) == {"a", "d", "h"}
