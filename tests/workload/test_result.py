"""What a result shows of itself."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from qiskit.primitives import PubResult

from qdreamer_lab import CutEstimator, MachineProfile, QDreamer
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.record import RunRecord
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


@pytest.mark.parametrize("options", [{}, {"mode": "sampled", "shots": 100, "seed": 0}])
def test_its_metadata_is_its_record(options):
    found = CutEstimator(2, **options).run([(rx_and_cx(), "ZZZ", [0.1])]).result()[0]
    record = found.record
    assert record.seconds.execute_s == found.metadata["execute_s"]
    assert ("transpile_s" in found.metadata) == (record.mode == "sampled")
    made = record.as_metadata()
    assert list(made) == list(found.metadata)
    assert all(made[name] is value for name, value in found.metadata.items())


def test_a_record_of_anything_else_is_refused_unless_the_run_is_under_way():
    with pytest.raises(QDreamerError, match="CutEstimator"):
        RunRecord.of(PubResult(None, metadata={"shots": 3}))
    with pytest.raises(QDreamerError, match="CutEstimator"):
        RunRecord.of(3, partial=True)
    begun = RunRecord.of(SimpleNamespace(metadata={"plan_s": 0.5, "shots": 3}), partial=True)
    assert (begun.seconds.plan_s, begun.seconds.execute_s, begun.shots) == (0.5, 0.0, 3)
    assert begun.fragments == ()
