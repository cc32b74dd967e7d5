"""What the Tab key offers behind the cell magics."""

from types import SimpleNamespace

import pytest
from IPython.core.completer import provisionalcompleter

from pilot_kernel.errors import AgentLostError
from pilot_kernel.jupyter.magics.cell_magics import CellMagics, completers
from pilot_kernel.jupyter.magics.completion import completer


def notebook(*names):
    pilots = [SimpleNamespace(name=name) for name in names]
    return SimpleNamespace(living_session=lambda: SimpleNamespace(pilots=pilots))


def offered(line, magic="qtask", book=None):
    complete = completers(book or notebook("local", "manila"))[magic]
    return complete(None, SimpleNamespace(line=line))


def test_options_and_values():
    options = offered("%%qtask --cut 3 --pr")
    assert {"--prefer", "--precision", "--mitigation", "--dry-run", "--on"} <= set(options)
    assert "--cut" not in offered("%%ctask ", "ctask")
    assert "--all" in offered("%%ctask ", "ctask")
    assert offered("%%qtask --prefer ") == ["time", "fidelity", "cost"]
    assert offered("%%qtask --mid-circuit y") == ["yes", "no"]
    assert offered("%%qtask --mitigation readout,") == ["readout", "twirling", "zne"]
    assert offered("%%qtask --on ma") == ["cpu", "gpu", "qpu", "local", "manila"]
    assert offered("%%qtask --on local,")[-1] == "manila"
    assert "--on" in offered("%%qtask --dry-run ")  # which takes no value
    assert offered("%%qtask") == offered("%%qtask --seed ") == []


def test_no_session_is_begun_for_it():
    none = SimpleNamespace(living_session=lambda: None)
    assert offered("%%qtask --on ", book=none) == ["cpu", "gpu", "qpu"]

    def lost():
        raise AgentLostError("gone")

    complete = completer(CellMagics.qtask, lost, {})
    assert complete(None, SimpleNamespace(line="%%qtask --on ")) == ["cpu", "gpu", "qpu"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("%%qtask --fal", "--fallback"),
        ("%%ctask --tim", "--timeout"),
        ("%%qtask --mitigation readout,tw", "twirling"),
    ],
)
def test_the_shell_asks(shell, line, wanted):
    with provisionalcompleter():
        found = [each.text for each in shell.Completer.completions(line, len(line))]
    assert wanted in found
