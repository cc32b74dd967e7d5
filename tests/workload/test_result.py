"""What a result shows of itself."""

import pickle

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from qiskit.primitives import PubResult

from qdreamer_lab import CutEstimator, MachineProfile, QDreamer
from tests.circuits.plain import rx_and_cx


def shown(result):
    return DisplayFormatter().format(result)[0]


def test_a_recommended_run_shows_values_by_name():
    circuit = rx_and_cx().assign_parameters([0.7])
    dreamer = QDreamer(profile=MachineProfile.nominal())
    result = dreamer.recommend(circuit, ["ZII", "ZZZ"]).run()
    assert isinstance(result, PubResult)
    bundle = shown(result)
    for text in (bundle["text/plain"], bundle["text/html"], str(result)):
        assert "ZII" in text
        assert f"{np.cos(0.7):.4f}"[:6] in text
        assert "exact" in text
        assert "[0]" not in text
    assert "2 values" in repr(result)


def test_one_value_is_in_the_shortest_form():
    circuit = rx_and_cx().assign_parameters([0.7])
    result = CutEstimator(2).run([(circuit, "IIZ")]).result()[0]
    assert f"{np.cos(0.7):.6g}" in repr(result)
    assert "exact" in repr(result)


def test_a_sweep_has_its_parameter_as_axis():
    values = np.linspace(0.5, 2.5, 9)[:, None]
    result = (
        CutEstimator(2, mode="sampled", shots=500, seed=1)
        .run([(rx_and_cx(), [["ZZZ"], ["IIZ"]], values)])
        .result()
    )
    text, html = str(result[0]), shown(result[0])["text/html"]
    assert "t from 0.5 to 2.5" in text
    assert "4,500 shots" in text
    assert ">t</text>" in html
    for label in ("ZZZ", "IIZ"):
        assert label in html


@pytest.mark.parametrize("options", [{}, {"mode": "sampled", "shots": 100, "seed": 0}])
def test_it_can_be_sent_and_has_what_it_is_of(options):
    circuit = rx_and_cx()
    found = CutEstimator(2, **options).run([(circuit, ["ZZZ", "XII"], [[0.1]] * 2)]).result()[0]
    again = pickle.loads(pickle.dumps(found))
    assert repr(again) == repr(found)
    assert str(again) == str(found)
    assert found.metadata["observables"].shape == (2,)
    assert found.metadata["parameter_values"].shape == (2,)
