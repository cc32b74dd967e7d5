"""Motifs from a line: the console's and the magic's, what they print, and when they say no."""

import json
from dataclasses import dataclass, field

import pytest

import pilot_kernel
from pilot_kernel.errors import CellError
from qdreamer_lab import cli
from qdreamer_lab.workflow.command import chosen, described, from_magic, listing
from qdreamer_lab.workflow.registry import motif, motif_names
from qdreamer_lab.workflow.report import MotifReport
from qdreamer_lab.workflow.steps.store import default_store

SMALL = ["circuits=2", "qubits=2", "depth=1"]


@dataclass
class Asked:
    session: object = None
    name: str | None = None
    preset: str = "small"
    settings: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)
    help: bool = False

    def say(self, line):
        self.said.append(line)


@pytest.fixture(autouse=True)
def own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("QDREAMER_LAB_STORE", str(tmp_path / "store"))


@pytest.fixture
def borrowed(monkeypatch, session):
    """The console's session is that of the tests, which stays open."""

    class Borrowed:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def add_pilot(self, url, **keys):
            self.asked = url, keys

        def __getattr__(self, name):
            return getattr(session, name)

    made = Borrowed()
    monkeypatch.setattr(pilot_kernel, "Session", lambda: made)
    return made


def test_the_console_runs_a_motif(borrowed, tmp_path, capsys):
    files = ["--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html")]
    settings = [word for text in SMALL for word in ("--set", text)]
    command = ["motif", "circuit-execution", *settings, "--workers", "2", *files]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "Circuit execution: " in said
    assert "mean of Z" in said
    assert borrowed.asked == ("local://", {"cores_per_node": 2})
    report = MotifReport.from_json((tmp_path / "r.json").read_text())
    assert report.parameters["circuits"] == 2
    assert report.text() in said
    assert "plotly" in (tmp_path / "r.html").read_text()


def test_the_console_lists_motifs(capsys):
    assert cli.main(["motif"]) == 0
    said = capsys.readouterr().out
    assert said.strip() == str(listing())
    assert "circuits=64 (paper: 1024)" in said
    assert "learning: A data set with two classes" in said


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nothing"], "there is no motif 'nothing'; there are circuit-execution"),
        (["pipeline", "--preset", "huge"], "pipeline has small, paper"),
        (["learning", "--set", "qubits=many"], "qubits is a whole number"),
        (["learning", "--set", "qubits=0"], "at least 1"),
        (["learning", "--set", "qubits"], "key=value"),
    ],
)
def test_the_console_says_no(words, complaint, capsys):
    assert cli.main(["motif", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_the_console_shows_and_clears_the_store(capsys):
    default_store().keep("k", "thing", 1)
    assert cli.main(["store"]) == 0
    assert "thing" in capsys.readouterr().out
    assert cli.main(["store", "--clear"]) == 0
    assert "1 results removed" in capsys.readouterr().out
    assert default_store().listed() == []


def test_the_magic_runs_a_motif_and_lists_them(session):
    asked = Asked(lambda: session, "circuit-execution", settings=tuple(SMALL))
    assert from_magic(asked).values["circuits"] == 2
    assert repr(from_magic(Asked(None))) == str(listing())


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (Asked(None, "nothing"), "there is no motif 'nothing'"),
        (Asked(None, "learning", "huge"), "learning has small, paper"),
        (Asked(None, None, settings=("a=1",)), "name a motif"),
    ],
)
def test_the_magic_says_no(asked, complaint):
    with pytest.raises(CellError, match=f"%motif: .*{complaint}"):
        from_magic(asked)


@pytest.mark.parametrize("name", motif_names())
def test_every_parameter_is_explained(name):
    lines = str(described(name)).splitlines()
    for key, value in motif(name).small().parameters().items():
        (line,) = [line for line in lines if line.startswith(f"  {key}: ")]
        assert not line.startswith(f"  {key}: ({value}"), f"{key} is not in the docstring"


def test_help_behind_a_name_is_that_motif_s(capsys):
    for words in (["variational", "--help"], ["--set", "qubits=3", "variational", "-h"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(["motif", *words])
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert said.endswith(f"{described('variational')}\n")
        assert "--set KEY=VALUE" in said
    assert "(4; paper: 16)" in said
    with pytest.raises(SystemExit) as ended:
        cli.main(["motif", "nothing", "--help"])
    assert ended.value.code == 2
    assert "there is no motif 'nothing'" in capsys.readouterr().err
    assert str(from_magic(Asked(None, "learning", help=True))) == str(described("learning"))


def test_counts_are_whole_numbers(capsys):
    for text, complaint in (("a,b", "whole number, got 'a'"), ("1,0", "at least 1, got 0")):
        with pytest.raises(SystemExit):
            cli.main(["characterise", "--workers", text])
        assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["variational", "--set", "checkpoint=/nowhere/x"], "checkpoint=/nowhere/x: No such file"),
        (["variational", "-s", "problem=h2", "-s", "qubits=4"], "no difference with problem=h2"),
        (["learning", "-s", "classifiers=kernel", "-s", "steps=3"], "with classifiers=kernel"),
    ],
)
def test_the_console_complains_before_it_starts_a_pilot(words, told, capsys, monkeypatch):
    monkeypatch.setattr(pilot_kernel, "Session", None)  # would fail if it were opened
    assert cli.main(["motif", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", [["motif", "learning"], ["characterise"]])
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_file_that_cannot_be_written_is_told_before_anything_runs(
    command, option, capsys, tmp_path
):
    for path, told in ((tmp_path, "is a folder"), ("/nowhere/x", "there is no folder /nowhere")):
        with pytest.raises(SystemExit):
            cli.main([*command, option, str(path)])
        assert told in capsys.readouterr().err


def test_settings_win_over_presets():
    made = chosen("circuit-execution", "paper", ["circuits=3"])
    assert (made.circuits, made.qubits) == (3, 25)
    assert json.loads(json.dumps(made.parameters()))["depth"] == 1
