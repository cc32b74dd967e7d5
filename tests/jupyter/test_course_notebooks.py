"""The course: notebooks run, exercises are open, solutions right, and students get all the rest."""

import ast
import builtins
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.jupyter.executed_notebook import execute, judged, tagged

FOLDER = Path(__file__).parents[2] / "notebooks"
COURSE = FOLDER.parent / "qdreamer_lab" / "course"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
WITHOUT_EXERCISES = ("10_devices.ipynb",)
EXERCISES = [name for name in NOTEBOOKS if name not in WITHOUT_EXERCISES]
RUN_ELSEWHERE = (
    "01_quickstart.ipynb",
    "02_cut_explorer.ipynb",
    "08_motifs.ipynb",
    *WITHOUT_EXERCISES,
)
"""`test_notebooks.py` runs these."""

MOST_MINUTES_OF_READING, WORDS_A_MINUTE = 10, 130


def read(name, folder=FOLDER):
    return nbformat.read(folder / name, 4)


def no_warnings(notebook):
    """Nothing was said on stderr, but that kernels are compiled where nobody has done it before."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            usual = output.get("name") != "stderr" or "compiling kernels" in output.text
            assert usual, output.text


@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name not in RUN_ELSEWHERE])
def test_it_runs_from_top_to_bottom(name, kernelspec, registry_home, own_cache, tmp_path):
    notebook = read(name)
    execute(notebook, tmp_path)
    judged(notebook)
    no_warnings(notebook)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", EXERCISES)
def test_exercises_have_hints_and_a_solution_that_is_folded_away(name):
    notebook = read(name)
    headings = [k for k, cell in enumerate(notebook.cells) if "### Exercise" in cell.source]
    assert 2 <= len(headings) <= 3
    for start, end in zip(headings, [*headings[1:], len(notebook.cells)], strict=True):
        section = notebook.cells[start:end]
        told = "".join(cell.source for cell in section if cell.cell_type == "markdown")
        assert 2 <= told.count("<details><summary>Hint") == told.count("</details>") <= 3
        tags = [tag for cell in section for tag in cell.metadata.get("tags", ())]
        assert tags == sorted(tags)  # exercises before solutions
        assert {"exercise", "solution"} == set(tags)
    for cell in tagged(notebook, "solution"):
        assert cell.cell_type == "code"
        assert cell.metadata.jupyter.source_hidden
        assert "# A solution" in cell.source


def test_every_checker_is_asked_by_an_exercise_and_by_its_solution_and_is_tested():
    homes = [path for path in COURSE.glob("*.py") if "@exercise" in path.read_text()]
    checkers = {name for path in homes for name in re.findall(r"def (check_\w+)", path.read_text())}
    assert len(checkers) >= 18
    asked = Counter(
        (name, tag)
        for notebook in map(read, NOTEBOOKS)
        for tag in ("exercise", "solution")
        for cell in tagged(notebook, tag)
        for name in re.findall(r"\.(check_\w+)\(", cell.source)
    )
    assert asked == {(name, tag): 1 for name in checkers for tag in ("exercise", "solution")}
    tests = "".join(path.read_text() for path in (FOLDER.parent / "tests/course").glob("test_*.py"))
    assert set(re.findall(r"judge\(\s*(check_\w+),", tests)) == checkers


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_for_the_pilot_kernel_and_takes_ten_minutes_to_read(name):
    notebook = read(name)
    assert notebook.metadata.kernelspec.name == "pilot"
    if name != "02_cut_explorer.ipynb":  # whose pictures are saved
        assert not any(cell.get("outputs") for cell in notebook.cells)
    told = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"\w{2,}", told)) < MOST_MINUTES_OF_READING * WORDS_A_MINUTE


def test_the_page_beside_them_lists_them_all():
    page = (FOLDER / "README.md").read_text()
    assert re.findall(r"\((\d\d_\w+\.ipynb)\)", page) == NOTEBOOKS


@pytest.mark.parametrize("name", [*NOTEBOOKS, "README.md", "TEACHING.md"])
def test_links_lead_somewhere(name):
    path = FOLDER / name
    notebook = path.suffix == ".ipynb"
    text = "\n".join(cell.source for cell in read(name).cells) if notebook else path.read_text()
    links = re.findall(r"\]\(([\w./]+\.(?:ipynb|md|py|png))(?:#[\w-]+)?\)", text)
    assert links or name in WITHOUT_EXERCISES
    assert not [link for link in links if not (FOLDER / link).exists()]


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """The students' edition."""
    folder = tmp_path_factory.mktemp("students")
    command = [sys.executable, "-m", "nbconvert", "--log-level", "WARN"]
    command += ["--config", str(FOLDER / "students.py"), "--output-dir", str(folder)]
    made = subprocess.run(
        [*command, *(str(FOLDER / name) for name in NOTEBOOKS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_students_edition_lacks_solutions_and_nothing_else(name, students):
    whole, edition = read(name), read(name, students)
    nbformat.validate(edition)
    kept = [cell for cell in whole.cells if "solution" not in cell.metadata.get("tags", ())]
    assert [cell.source for cell in edition.cells] == [cell.source for cell in kept]
    assert [cell.get("outputs") for cell in edition.cells] == [c.get("outputs") for c in kept]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_rests_on_a_solution(name, students):
    """Names that a cell reads are made by a cell before it that is in the students' edition."""
    known = {*dir(builtins), "get_ipython"}
    for cell in read(name, students).cells:
        if cell.cell_type == "code":
            made, wanted = names(cell.source)
            assert wanted <= known | made, wanted - known - made
            known |= made


def names(source):
    """The names that a cell makes, and those it reads at its outermost level."""
    first, _, body = source.partition("\n")
    magic = first.startswith("%%")
    kept = set(re.findall(r"-o (\w+)", first)) if magic else set()
    text = body if magic and first.startswith(("%%qtask", "%%ctask")) else "" if magic else source
    tree = ast.parse(TransformerManager().transform_cell(text))
    made, wanted = set(kept), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.Name):
            (wanted if isinstance(node.ctx, ast.Load) else made).add(node.id)
    # What a cell on a worker makes stays there; its names serve that cell only.
    return (made, wanted) if not magic else (kept, wanted - made)
