"""`draw("mpl")`: every cut is in the figure, and where it cannot be made, it says why."""

import sys
import tomllib
from collections import Counter
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import plan_cuts
from qdreamer_lab.errors import PlanError
from qdreamer_lab.widgets.matplotlib_drawing import drawing
from qdreamer_lab.workload.cut.cuts import GateCut
from tests.circuits.drawn import random_circuit
from tests.circuits.plain import cx_line


def signs(figure):
    """How many lines there are of each kind."""
    return Counter(line.get_gid() for line in figure.axes[0].get_lines())


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("seed", range(5))
def test_every_cut_is_in_the_figure(seed):
    pytest.importorskip("matplotlib")
    plan = plan_cuts(random_circuit(seed, 6, 14, general=True), [3, 2, 2])
    gates = sum(isinstance(cut, GateCut) for cut in plan.cuts)
    figure = drawing(plan)
    found = signs(figure)
    assert found["gate cut"] == gates
    assert found["wire cut"] == 2 * (plan.num_cuts - gates)
    assert found["block"] == plan.blocks.num_blocks - gates
    assert found["wire"] == len(plan.segments) + len(plan.blocks.lone)
    assert figure.axes[0].get_title() == plan.summary
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_wide_circuits_are_shown_by_fragment():
    pytest.importorskip("matplotlib")
    figure = drawing(plan_cuts(cx_line(60), [30, 20, 20]))
    assert signs(figure) == {"fragment": 3, "cuts": 2}
    said = words(figure)
    assert sum(text.endswith("/20 q") for text in said) == 2
    assert sum(text.endswith("/30 q") for text in said) == 1
    assert said.count("1g") == 2


def test_nothing_to_draw_is_drawn_too():
    pytest.importorskip("matplotlib")
    for circuit in (QuantumCircuit(1), QuantumCircuit(80)):
        drawing(plan_cuts(circuit, 1)).savefig(BytesIO(), format="svg")


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlanError, match=r"needs matplotlib, .*: pip install matplotlib"):
        drawing(plan_cuts(cx_line(4), 2))


def test_its_name_is_an_entry_point():
    project = tomllib.loads(
        (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    )
    forms = project["project"]["entry-points"]["qdreamer_lab.drawings"]
    module, name = forms["mpl"].split(":")
    assert getattr(import_module(module), name) is drawing
