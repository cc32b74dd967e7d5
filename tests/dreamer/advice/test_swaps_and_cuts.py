"""Where the fewest errors are wanted, cuts that save swaps are weighed too."""

import pytest
from qiskit import QuantumCircuit

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.dreamer.engine import Engine
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.dreamer.prediction_request import request_of
from qdreamer_lab.errors import PlanError, QDreamerError
from tests.dreamer.advice.test_among_devices import Lab, line

pytestmark = pytest.mark.usefixtures("steady_planning")


def hanging():
    """A strong line of seven qubits, and five qubits that hang on it weakly."""
    circuit = QuantumCircuit(12)
    circuit.ry(0.3, range(12))
    for k in range(6):
        circuit.rzz(1.2, k, k + 1)
    for place in range(1, 6):
        circuit.rzz(0.1, place, 6 + place)
    circuit.rx(0.2, range(12))
    return circuit


PARITY = ["Z" * 12]


def test_a_line_has_fewest_errors_without_what_hangs_on_it(monkeypatch):
    monkeypatch.setattr("qdreamer_lab.dreamer.engine.SWAP_SEARCH_S", 60.0)
    lab = Lab(bad=line(12, 0.05))
    who = QDreamer(lab, profile=MachineProfile.nominal())
    found = who.recommend(hanging(), PARITY, precision=0.1, on="bad", prefer="fidelity")
    best = found.best
    assert best.configuration.swap_price is not None
    assert best.plan.swaps.total == 0
    assert sorted(fragment.width for fragment in best.plan.fragments) == [1, 1, 1, 1, 1, 7]
    assert "swaps at" in best.title
    others = [way for way in found.predictions if way.configuration.swap_price is None]
    assert all(best.error < way.error for way in others if way.error is not None)
    quick = who.recommend(hanging(), PARITY, precision=0.1, on="bad")
    assert all(way.configuration.swap_price is None for way in quick.predictions)


def test_a_price_of_swaps_needs_a_device():
    with pytest.raises(PlanError, match="at least 0"):
        Configuration(3, "sampled", swap_price=-1.0)
    engine = Engine(Lab(bad=line(12, 0.05)), MachineProfile.nominal())
    way = Configuration(12, "sampled", swap_price=1.0, on="cpu")
    with pytest.raises(QDreamerError, match="for devices"):
        engine.plan(request_of(hanging(), PARITY, 0.1), way)
