"""Every command says what it does, and what each of its options is for."""

import argparse
import subprocess
import sys

import pytest

import pilot_kernel.__main__
import qdreamer_lab
from qdreamer_lab import cli


def parsers(parser):
    """A parser and those of all its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from parsers(each)


ALL = [*parsers(cli._parser()), *parsers(pilot_kernel.__main__._parser())]


@pytest.mark.parametrize("parser", ALL, ids=lambda parser: parser.prog)
def test_help_says_what_it_does_and_what_each_option_is_for(parser):
    assert len(parser.description.split()) > 3
    parser.format_help()  # a stray % would fail here
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            listed = [choice.dest for choice in action._choices_actions if choice.help]
            assert listed == list(action.choices)
        else:
            assert action.help


def test_every_command_of_the_script_is_there():
    assert {p.prog.split()[-1] for p in ALL if p.prog.startswith("qdreamer-lab ")} == {
        *cli._COMMANDS
    }


@pytest.mark.parametrize("module", ["qdreamer_lab.cli", "pilot_kernel"])
def test_help_is_there_without_waiting_for_qiskit(module):
    code = (
        "import runpy, sys\nsys.argv = ['x', '--help']\n"
        f"try: runpy.run_module({module!r}, run_name='__main__')\n"
        "except SystemExit as end: print(end.code, 'qiskit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"qdreamer-lab {qdreamer_lab.__version__}\n"
