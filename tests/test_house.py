"""The house as it stands: each rule is checked on the project, and on a small made-up one."""

import textwrap
from pathlib import Path

import pytest

from tests import house

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cellar", "attic")


def told(offenders):
    """Fail with all offenders, if there are any."""
    assert not offenders, "\n".join(["", *offenders])


def test_no_modules_import_each_other():
    told(house.circles(ROOT))


def test_nor_do_benchmarks_and_tests():
    told(house.circles(ROOT, ("benchmarks", "tests")))


def test_imports_lead_through_few_modules_on_each_floor():
    told(house.long_chains(ROOT))


def test_files_are_neither_long_nor_tiny():
    told(house.wrong_sizes(ROOT))


def test_a_file_name_occurs_once_on_a_floor_or_in_rooms_side_by_side():
    told(house.repeated_names(ROOT))


def test_every_room_says_what_it_is_for_and_what_it_must_not_do():
    told(house.unsaid_purposes(ROOT))


def test_tests_mirror_the_packages():
    told(house.unmirrored(ROOT))


def test_every_folder_is_a_package():
    told(house.loose_folders(ROOT))


def test_nothing_is_found_by_changing_the_path():
    told(house.path_games(ROOT))


def test_contracts_name_what_exists():
    told(house.stale_contracts(ROOT))


def test_every_floor_and_room_is_under_a_contract():
    told(house.free_rooms(ROOT))


def test_architecture_names_files_that_exist():
    told(house.vanished_files(ROOT, "ARCHITECTURE.md"))


# ---- the checks themselves


@pytest.fixture
def build(tmp_path):
    """Write a small project: files by their paths, and the contracts of import-linter."""

    def write(files, contracts=""):
        (tmp_path / ".importlinter").write_text(textwrap.dedent(contracts))
        (tmp_path / "pyproject.toml").touch()
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
            for folder in path.relative_to(tmp_path).parents[:-1]:
                (tmp_path / folder / "__init__.py").touch()
        return tmp_path

    return write


@pytest.mark.parametrize(
    "back",
    [
        "import cellar.wine.a",
        "from cellar.wine import a",
        "from . import a",
        "from .a import x",
        "from ..wine.a import x",
        "def f():\n    from cellar.wine.a import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cellar.wine.a import x",
        "import importlib\nimportlib.import_module('cellar.wine.a')",
    ],
)
def test_circles_are_seen_wherever_the_import_stands(build, back):
    root = build({"cellar/wine/a.py": "from cellar.wine.b import y", "cellar/wine/b.py": back})
    assert house.circles(root, PACKAGES) == [
        "these import each other: cellar.wine.a, cellar.wine.b"
    ]


def test_there_may_be_several_circles_and_none(build):
    root = build(
        {
            "cellar/a.py": "from attic import a",
            "attic/a.py": "from cellar import a",
            "attic/b.py": "import attic.c",
            "attic/c.py": "import attic.e, attic.d",
            "attic/d.py": "import math, attic.d",
            "attic/e.py": "import attic.b",
        }
    )
    found = {line.partition(": ")[2] for line in house.circles(root, PACKAGES)}
    assert found == {"attic.a, cellar.a", "attic.b, attic.c, attic.e"}
    (root / "attic/b.py").write_text("")
    (root / "attic/a.py").write_text("")
    assert house.circles(root, PACKAGES) == []


def test_a_chain_counts_modules_of_its_floor_alone(build):
    chain = {f"cellar/wine/m{k}.py": f"import cellar.wine.m{k + 1}" for k in range(3)}
    below = {"cellar/wine/m3.py": "import cellar.beer.m", "cellar/beer/m.py": ""}
    root = build({**chain, **below, "cellar/wine/other.py": "import cellar.wine.m2"})
    (said,) = house.long_chains(root, 3, PACKAGES)
    names = " > ".join(f"cellar.wine.m{k}" for k in range(4))
    assert said == f"cellar.wine: 4 modules in a row, {names}"
    assert house.long_chains(root, 4, PACKAGES) == []


def test_sizes_spare_only_what_python_names(build):
    root = build({"cellar/short.py": "a\n", "cellar/__main__.py": "", "tests/long.py": "a\n" * 9})
    assert house.wrong_sizes(root, ("cellar", "tests"), 8, 2) == [
        "cellar/short.py: 1 lines, less than 2",
        "tests/long.py: 9 lines, more than 8",
    ]


def test_the_same_part_may_be_played_in_rooms_side_by_side(build):
    same = {f"cellar/wine/{room}/run.py": "" for room in ("red", "white")}
    assert house.repeated_names(build(same), PACKAGES) == []
    root = build({"cellar/wine/run.py": "", "cellar/beer/run.py": ""})
    paths = [f"cellar/wine/{inner}run.py" for inner in ("red/", "", "white/")]
    assert house.repeated_names(root, PACKAGES) == [" and ".join(paths)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"""Wine.\n\nIt must not be drunk.\n"""', None),
        ('"""Keeps wine. Nobody drinks here."""', None),
        ("", "no sentence"),
        ('"""Keeps wine."""', "1 sentence"),
        ('"""Keeps wine. It is cool. Nobody drinks."""', "3 sentence"),
        ('"""Keeps wine. It is cool here."""', "what it must not do: 'It is cool here.'"),
    ],
)
def test_a_purpose_is_two_sentences(build, text, said):
    root = build({"cellar/wine/red.py": "", "attic/a.py": ""})
    (root / "cellar/wine/__init__.py").write_text(text)
    offenders = house.unsaid_purposes(root, PACKAGES)
    mine = [line for line in offenders if line.startswith("cellar.wine")]
    assert [said in line for line in mine] == ([] if said is None else [True])


def test_tests_stand_where_their_subject_stands(build):
    files = ["attic/wine/x.py", "attic/wine/old/x.py", "tests/test_all.py", "tests/real/a.py"]
    good, bad = ["tests/wine/old/test_x.py"], ["tests/beer/test_x.py", "tests/wine/new/test_x.py"]
    root = build(dict.fromkeys([*files, *good, *bad], ""))
    offenders = house.unmirrored(root, PACKAGES, ("real",))
    assert [line.partition(":")[0] for line in offenders] == ["tests/beer", "tests/wine/new"]


def test_a_folder_without_an_init_is_named(build):
    root = build({"tests/wine/test_x.py": "", "tests/beer/test_x.py": ""})
    (root / "tests/wine/__init__.py").unlink()
    assert house.loose_folders(root, ("tests",)) == ["tests/wine"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import sys; sys.path.insert(0, 'x')", "sys.path"),
        ("from helper import x", "helper is imported without its package"),
        ("import helper", "helper is imported without its package"),
        ("from .helper import x", "a relative import"),
        ("import sys; sys.stdout.write('sys.path')", None),
        ("from tests.wine.helper import x", None),
    ],
)
def test_path_games_are_seen(build, line, said):
    root = build({"tests/wine/helper.py": "", "tests/wine/test_x.py": f"{line}\n"})
    wanted = [] if said is None else [f"tests/wine/test_x.py:1: {said}"]
    assert house.path_games(root, ("tests",)) == wanted


CONTRACTS = """
    [importlinter:contract:floors]
    name = floors
    type = layers
    layers =
        (cellar.wine)
        cellar.beer | cellar.gone

    [importlinter:contract:wine]
    name = wine
    type = layers
    containers =
        cellar.wine
    layers =
        red
        white

    [importlinter:contract:light]
    name = light
    type = forbidden
    source_modules =
        cellar.wine.*
        cellar.lost.*
    forbidden_modules =
        numpy
        cellar.beer
"""


def test_contracts_that_are_stale_or_missing_are_seen(build):
    names = ["wine/red", "wine/white", "beer/ale/a", "beer/ale/b", "cider/only"]
    root = build({f"cellar/{name}.py": "" for name in names}, CONTRACTS)
    assert house.stale_contracts(root, PACKAGES) == [
        "'floors' names cellar.gone, which is not there",
        "'light' names cellar.lost.*, which is not there",
    ]
    assert house.free_rooms(root, PACKAGES) == [
        "no contract orders what is in cellar.beer.ale",
        "no contract orders the floor cellar.cider",
    ]


def test_files_that_a_document_names_are_looked_for(build):
    root = build({"cellar/wine/red.py": "", "attic/board.js": ""})
    text = (
        "`red.py`, `wine/red.py:pour`, `board.js`, `beer/red.py`, red.old, `white.py`, `white.py`"
    )
    (root / "MAP.md").write_text(text)
    assert house.vanished_files(root, "MAP.md") == [
        "MAP.md names beer/red.py, which is not there",
        "MAP.md names white.py, which is not there",
    ]
