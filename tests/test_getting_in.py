"""What strangers are told before they have started: links, versions, what the wheel brings."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import qdreamer_lab
from pilot_kernel.__main__ import kernelspec

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_binder_links_open_notebooks_of_this_repository():
    repository = PROJECT["project"]["urls"]["Repository"].removeprefix("https://github.com/")
    links = re.findall(
        r"https://mybinder\.org/v2/gh/([^?)]+)\?urlpath=([^)]+)", (ROOT / "README.md").read_text()
    )
    assert {place for place, _ in links} == {f"{repository}/HEAD"}
    paths = [path.removeprefix("lab/tree/") for _, path in links]
    assert {"notebooks/01_quickstart.ipynb", "notebooks/02_cut_explorer.ipynb"} <= {*paths}
    assert all((ROOT / path).is_file() for path in paths)


def test_the_citation_and_the_changelog_are_of_this_version():
    cited = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (\S+)$", cited, re.M) == [qdreamer_lab.__version__]
    assert PROJECT["project"]["urls"]["Repository"] in cited
    heads = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heads[0] == qdreamer_lab.__version__


def test_the_kernel_that_an_installation_brings_is_the_one_that_is_installed_by_hand():
    shared = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    (source,) = [a for a, b in shared.items() if b == "share/jupyter/kernels/pilot/kernel.json"]
    brought = json.loads((ROOT / source).read_text())
    made = kernelspec(brought["display_name"])
    assert brought["argv"][0] == "python"  # Jupyter puts its own in this word's place
    assert brought["argv"][1:] == made["argv"][1:]
    assert {**brought, "argv": 0} == {**made, "argv": 0}


@pytest.mark.parametrize("package", ["pilot_kernel", "qdreamer_lab"])
def test_packages_say_that_they_are_typed(package):
    assert (ROOT / package / "py.typed").is_file()


def test_what_binder_installs_is_locked_and_has_all_that_is_needed():
    lines = (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert wanted.pop() == "."
    locked = dict(line.split("==") for line in wanted)  # fails if one has no version
    extras = PROJECT["project"]["optional-dependencies"]
    needs = [*PROJECT["project"]["dependencies"], *extras["learn"], *extras["ibm"], *extras["hpc"]]
    names = {re.match(r"[\w.-]+", need)[0].replace("_", "-").lower() for need in needs}
    assert names <= {*locked}
    base = (ROOT / "binder" / "base.txt").read_text().splitlines()
    image = dict(line.split("==") for line in base if not line.startswith("#"))
    both = locked.keys() & image.keys()
    assert {name: locked[name] for name in both} == {name: image[name] for name in both}


def test_binder_has_the_python_that_the_lock_is_for():
    said = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f"--python-version {said} " in (ROOT / "Makefile").read_text()
