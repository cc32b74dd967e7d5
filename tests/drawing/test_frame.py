"""Results as tables, against what Qiskit's own estimator and sampler say."""

import builtins

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator, StatevectorSampler

from pilot_kernel import to_frame
from pilot_kernel.drawing.frame import columns
from pilot_kernel.errors import PilotError
from qdreamer_lab import CutEstimator, CutSampler

ANGLES = [0.1, 0.7, 2.0]
CIRCUIT = QuantumCircuit(3)
CIRCUIT.ry(Parameter("t"), 0)
CIRCUIT.cx(0, 1)
CIRCUIT.cx(1, 2)
PUB = (CIRCUIT, [["Z0"], ["ZZI"]], [[angle] for angle in ANGLES])


@pytest.mark.parametrize("cut", [False, True])
def test_estimates_have_names_parameters_and_errors(cut):
    """<Z0> = cos t, and of the two qubits that follow it <ZZ> = 1."""
    if cut:
        found = columns(CutEstimator(2).run([PUB]).result())
    else:
        plain = (CIRCUIT, [["IIZ"], ["ZZI"]], PUB[2])
        found = columns(StatevectorEstimator().run([plain]).result(), [PUB])
    assert [*found] == ["pub", "index", "observable", "t", "value", "std"]
    assert found["index"] == [*np.ndindex(2, 3)]
    assert found["observable"] == ["IIZ"] * 3 + ["ZZI"] * 3
    assert found["t"] == ANGLES * 2
    assert np.allclose(found["value"], [*np.cos(ANGLES), 1, 1, 1])
    assert found["std"] == [0] * 6


@pytest.mark.parametrize("cut", [False, True])
def test_samples_are_counts_of_outcomes(cut):
    circuit = CIRCUIT.copy()
    circuit.measure_all()
    pubs = [(circuit, [[0.0], [np.pi]]), (circuit, [np.pi])]
    sampler = CutSampler(2) if cut else StatevectorSampler(seed=1)
    result = sampler.run(pubs, shots=50).result()
    found = columns(result, pubs)
    assert [*found] == ["pub", "index", "t", "register", "outcome", "count"]
    assert found["outcome"] == ["000", "111", "111"]
    assert found["pub"] == [0, 0, 1]
    assert found["index"] == [(0,), (1,), None]
    assert found["t"] == [0.0, np.pi, np.pi]
    assert found["count"] == [50, 50, 50]


def test_one_value_without_names():
    found = columns(StatevectorEstimator().run([(QuantumCircuit(1), "Z")]).result()[0])
    assert found == {"pub": [0], "value": [1.0], "std": [0.0]}


def test_pandas_makes_a_frame_of_it():
    pd = pytest.importorskip("pandas")
    result = CutEstimator(2).run([PUB]).result()
    frame = to_frame(result)
    assert isinstance(frame, pd.DataFrame)
    assert frame.groupby("observable")["value"].mean()["ZZI"] == pytest.approx(1)
    assert result[0].to_frame().equals(frame)


def test_without_pandas_it_says_what_to_install(monkeypatch):
    usual = builtins.__import__

    def without(name, *rest):
        if name == "pandas":
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(PilotError, match="pip install pandas"):
        to_frame([])


def test_pubs_of_another_result_are_refused():
    result = StatevectorEstimator().run([(QuantumCircuit(1), "Z")]).result()
    with pytest.raises(PilotError, match="1 results of 2 PUBs"):
        columns(result, [(QuantumCircuit(1), "Z")] * 2)
