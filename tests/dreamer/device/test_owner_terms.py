"""What a device costs, against sums by hand from its durations."""

import math

import numpy as np
import pytest
from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import CXGate, RZGate, SXGate
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import InstructionProperties, Target

from qdreamer_lab import DeviceTerms, Limits, MachineProfile, QDreamer
from qdreamer_lab.dreamer.device.shape import device_shape
from qdreamer_lab.errors import QDreamerError
from tests.circuits.plain import ghz, neighbours
from tests.dreamer.advice.test_candidates import Workers

SX_S, CX_S, READOUT_S, PAUSE_S = 40e-9, 300e-9, 900e-9, 2e-4


class Device(BackendV2):
    """Five qubits, all of them neighbours, with durations that are easy to add up."""

    default_rep_delay = PAUSE_S

    def __init__(self):
        super().__init__(name="sum")
        self._target = Target(num_qubits=5)
        pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
        lone = [(i,) for i in range(5)]
        for gate, where, seconds in (
            (RZGate(Parameter("a")), lone, 40e-9),
            (SXGate(), lone, SX_S),
            (CXGate(), pairs, CX_S),
            (Measure(), lone, READOUT_S),
        ):
            known = {qubits: InstructionProperties(duration=seconds) for qubits in where}
            self._target.add_instruction(gate, known)

    @property
    def target(self):
        return self._target

    @property
    def max_circuits(self):
        return None

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, circuits, **options):
        raise AssertionError("nothing runs in a prediction")


class Lab(Workers):
    def __init__(self):
        super().__init__(1, "qpu://sum")
        self.status.backend = "sum"

    def backend(self, on=None):
        return Device()


def dreamer(**terms):
    devices = {"sum": DeviceTerms(**terms)} if terms else None
    return QDreamer(Lab(), profile=MachineProfile.nominal(), devices=devices)


def by_hand_s(shots, deep, pause_s=PAUSE_S):
    """Two gates of each kind per block, one more turn, a measurement, a pause."""
    circuit = deep * 2 * (CX_S + SX_S) + SX_S + READOUT_S
    return shots * (circuit + pause_s)


def predicted(who, shots=10_000, n=5):
    return who.predict(ghz(n), "Z" * n, mode="sampled", on="qpu", shots=shots)


def test_qpu_seconds_and_cost_are_those_of_the_durations():
    found = predicted(dreamer(price_per_second=1.6))
    assert found.shots == 10_000
    assert found.qpu_seconds == pytest.approx(by_hand_s(10_000, 4))
    assert found.cost == pytest.approx(1.6 * by_hand_s(10_000, 4))
    assert found.currency == "USD"
    found = predicted(dreamer(price_per_shot=3e-4, price_per_job=0.3, currency="EUR"))
    assert found.cost == pytest.approx(3e-4 * 10_000 + 0.3 * found.tasks)
    assert found.currency == "EUR"


def test_pauses_queues_and_overheads_that_are_given_count():
    plain = predicted(dreamer(price_per_second=1.0))
    slow = predicted(dreamer(repetition_s=1e-3))
    assert slow.qpu_seconds == pytest.approx(by_hand_s(10_000, 4, 1e-3))
    later = predicted(dreamer(queue_s=600.0))
    assert later.makespan_s - plain.makespan_s == pytest.approx(600, rel=0.01)
    assert later.qpu_seconds == pytest.approx(plain.qpu_seconds)
    heavy = predicted(dreamer(job_overhead_s=30.0))
    assert heavy.makespan_s - plain.makespan_s == pytest.approx(28 * plain.tasks, rel=0.01)
    assert any("30 s per job" in note for note in heavy.notes)
    shape = device_shape(Device())
    assert (shape.two_qubit_s, shape.readout_s, shape.repetition_s) == (CX_S, READOUT_S, PAUSE_S)
    assert shape.all_to_all


def test_explanations_and_tables_name_the_cost():
    who = dreamer(price_per_shot=0.001)
    found = who.recommend(ghz(5), neighbours(5), precision=0.1, on="qpu")
    text = f"{found.best.cost:.4g} USD"
    assert found.best.cost == pytest.approx(0.001 * found.best.shots)
    assert f"and costs {text}" in found.explain()
    assert text in str(found)
    assert text in found._repr_html_()
    assert text in str(found.best)


def test_without_prices_the_cost_is_unknown_and_cannot_be_limited():
    who = dreamer()
    found = who.recommend(ghz(5), neighbours(5), precision=0.1, on="qpu")
    assert found.best.cost is None
    assert "unknown" in found.explain()
    with pytest.raises(QDreamerError, match=r"max_cost needs the prices of sum"):
        who.recommend(ghz(5), neighbours(5), on="qpu", limits=Limits(max_cost=1.0))


def test_a_cost_limit_is_kept_or_names_the_nearest():
    who = dreamer(price_per_shot=0.001)
    ask = {"precision": 0.1, "on": "qpu"}
    best = who.recommend(ghz(5), neighbours(5), **ask).best
    kept = who.recommend(ghz(5), neighbours(5), limits=Limits(max_cost=1.1 * best.cost), **ask)
    assert all(one.cost <= 1.1 * best.cost for one in kept.predictions)
    with pytest.raises(QDreamerError, match=r"costs .* USD, more than .* USD.*factor of"):
        who.recommend(ghz(5), neighbours(5), limits=Limits(max_cost=best.cost / 100), **ask)
    with pytest.raises(QDreamerError, match=r"the closest is .* shots, more than 10 shots"):
        who.recommend(ghz(5), neighbours(5), limits=Limits(max_shots=10), **ask)


def test_simulators_are_free():
    free = QDreamer(profile=MachineProfile.nominal())
    found = free.recommend(ghz(5), neighbours(5), limits=Limits(max_cost=1e-9))
    assert found.best.cost == 0
    assert "cost" not in found.explain()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, -1) for name in ("price_per_second", "price_per_shot", "price_per_job")),
        *((name, math.nan) for name in ("queue_s", "job_overhead_s", "repetition_s")),
        ("price_per_shot", "1"),
        ("queue_s", True),
        ("currency", ""),
    ],
)
def test_impossible_terms_are_refused(name, value):
    with pytest.raises(QDreamerError, match=name):
        DeviceTerms(**{name: value})


def test_terms_are_found_by_pilot_as_well():
    who = QDreamer(
        Lab(), profile=MachineProfile.nominal(), devices={"qpu": DeviceTerms(price_per_shot=1.0)}
    )
    assert predicted(who, 1000).cost == pytest.approx(1000)
    assert np.isclose(DeviceTerms(price_per_second=2.0).cost(3.0, 10, 1), 6.0)
