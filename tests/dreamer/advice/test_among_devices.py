"""Which of several devices Q-Dreamer recommends, by time, error and price."""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import CXGate, RZGate, SXGate, XGate
from qiskit.transpiler import InstructionProperties, Target

from pilot_kernel.errors import PlacementError
from qdreamer_lab import DeviceTerms, Limits, MachineProfile, QDreamer
from qdreamer_lab.dreamer.device.success import plan_success
from qdreamer_lab.dreamer.prediction_request import request_of
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.plan.find import plan_cuts
from tests.circuits.plain import ghz, neighbours
from tests.workload.sampled.device.cut_devices import Elsewhere

pytestmark = pytest.mark.usefixtures("steady_planning")  # predictions are compared

READOUT = 0.01


def line(qubits, cx_error, cx_s=3e-7, wires=None):
    """Qubits in a row; only CX gates and readout have errors."""
    target = Target(num_qubits=qubits)
    lone = [(qubit,) for qubit in range(qubits)]
    pairs = wires or [(k, k + 1) for k in range(qubits - 1)]
    for gate, where, error, seconds in (
        (RZGate(Parameter("x")), lone, 0.0, 0.0),
        (SXGate(), lone, 0.0, 4e-8),
        (XGate(), lone, 0.0, 4e-8),
        (CXGate(), [*pairs, *((b, a) for a, b in pairs)], cx_error, cx_s),
        (Measure(), lone, READOUT, 1e-6),
    ):
        known = {at: InstructionProperties(error=error, duration=seconds) for at in where}
        target.add_instruction(gate, known)
    return target


class Lab:
    """A session with some QPUs, and local workers, that runs nothing."""

    def __init__(self, **targets):
        self.backends = {}
        for name, target in targets.items():
            self.backends[name] = Elsewhere(target)
            self.backends[name].name = f"device_{name}"

    def pilot_statuses(self):
        return [self._pilot("local", None), *map(self._pilot, self.backends)]

    def _pilot(self, name, backend="given"):
        return SimpleNamespace(
            name=name,
            resource="local://" if backend is None else f"qpu://{name}",
            wanted=1,
            workers=1,
            cores_per_worker=1,
            memory_per_worker_bytes=8 << 30,
            backend=None if backend is None else f"device_{name}",
            offers=("CPU",) if backend is None else ("QPU",),
        )

    def candidates(self, on=None):
        if on in (None, "cpu"):
            return [self._pilot("local", None)]
        if on == "qpu":
            return [self._pilot(name) for name in self.backends]
        if on not in self.backends:
            raise PlacementError(f"no pilot {on!r}")
        return [self._pilot(on)]

    def backend(self, on=None):
        return self.backends.get(on)


def dreamer(lab, devices=None):
    return QDreamer(lab, profile=MachineProfile.nominal(), devices=devices)


def asked(who, **how):
    return who.recommend(ghz(5), neighbours(5), precision=0.1, **{"on": "qpu", **how})


def test_every_device_of_a_kind_is_weighed_and_the_fastest_comes_first():
    lab = Lab(slow=line(5, 0.01, cx_s=1e-2), fast=line(5, 0.01))
    found = asked(dreamer(lab))
    assert {way.configuration.on for way in found.predictions} == {"slow", "fast"}
    assert found.best.configuration.on == "fast"
    times = [way.makespan_s for way in found.predictions if way.configuration.on == "slow"]
    assert min(times) > found.best.makespan_s
    assert asked(dreamer(lab), on=["slow"]).best.configuration.on == "slow"


@pytest.mark.parametrize("stated", [True, False])
def test_queues_count(stated):
    lab = Lab(fast=line(5, 0.01), slow=line(5, 0.01, cx_s=1e-4))
    assert asked(dreamer(lab)).best.configuration.on == "fast"
    if not stated:
        lab.backends["fast"].status = lambda: SimpleNamespace(pending_jobs=500)
    terms = {"fast": DeviceTerms(queue_s=5000.0)} if stated else None
    found = asked(dreamer(lab, terms))
    assert found.best.configuration.on == "slow"
    wait = [way.makespan_s for way in found.predictions if way.configuration.on == "fast"]
    assert min(wait) > 5000 > found.best.makespan_s


def test_the_smallest_error_comes_first_if_it_is_preferred():
    lab = Lab(bad=line(5, 0.05, cx_s=1e-7), good=line(5, 0.002, cx_s=1e-2))
    assert asked(dreamer(lab)).best.configuration.on == "bad"
    found = asked(dreamer(lab), prefer="fidelity")
    assert found.best.configuration.on == "good"
    errors = [way.error for way in found.predictions]
    assert errors == sorted(errors)
    for way in found.predictions:
        assert way.error == pytest.approx(np.hypot(way.standard_error, 1 - way.success))
    text = found.explain()
    assert f"off by about {found.best.error:.2g}" in text
    assert "The best elsewhere" in text
    assert "on bad" in text.split("The fastest: ")[1]
    assert "error" in str(found).splitlines()[-len(found.predictions) - 1]


@pytest.mark.parametrize("prefer", ["time", "fidelity", "cost"])
def test_the_text_sets_the_qpus_side_by_side(prefer):
    lab = Lab(bad=line(5, 0.05, cx_s=1e-7), good=line(5, 0.002, cx_s=1e-2), dear=line(5, 0.01))
    terms = {
        "bad": DeviceTerms(price_per_shot=0.01, queue_s=2.0),
        "good": DeviceTerms(price_per_shot=0.02),
        "dear": DeviceTerms(price_per_job=1000.0),
    }
    found = asked(dreamer(lab, terms), prefer=prefer, limits=Limits(max_cost=50.0))
    (told,) = [row for row in found.explain().splitlines() if row.startswith("The QPUs, by ")]
    first = {"time": "bad", "fidelity": "good", "cost": "bad"}[prefer]
    assert f": {first}, " in told
    assert found.best.configuration.on == first
    assert told.endswith("; dear, nothing within the limits.")
    bad = next(way for way in found.predictions if way.configuration.on == "bad")
    assert "of which 2 s in its queue" in told
    for words in (f"off by about {bad.error:.2g}", f"{bad.cost:.4g} USD"):
        assert words in told
    assert " error " in found._repr_html_().replace("<", " ").replace(">", " ")
    alone = asked(dreamer(lab, terms), on="good", prefer=prefer)
    assert "The QPUs" not in alone.explain()


def test_success_is_that_of_the_gates_and_readouts_there_are():
    """An uncut GHZ state on a line: a CX for each neighbour, all qubits read."""
    wanted = request_of(ghz(5), "ZZZZZ", 0.1)
    target = line(5, 0.03)
    whole = plan_success(wanted.request, plan_cuts(ghz(5), 5), Elsewhere(target))
    assert whole == pytest.approx(0.97**4 * (1 - READOUT) ** 5, rel=0.01)
    # One CX is cut, into six variants of which two measure its control in the middle.
    cut = plan_success(wanted.request, plan_cuts(ghz(5), 3), Elsewhere(target))
    assert cut == pytest.approx(0.97**3 * (1 - READOUT) ** 5, rel=0.02)


def test_of_few_qubits_only_their_light_cone_counts():
    """Z on the first qubit of a GHZ state knows its own CX; on the last it knows them all."""
    target = line(5, 0.03)

    def left(width, *labels):
        wanted = request_of(ghz(5), list(labels), 0.1)
        return plan_success(wanted.request, plan_cuts(ghz(5), width), Elsewhere(target))

    assert left(5, "IIIIZ") == pytest.approx(0.97 * (1 - READOUT), rel=0.01)
    assert left(5, "ZIIII") == pytest.approx(0.97**4 * (1 - READOUT), rel=0.01)
    both = (left(5, "IIIIZ") + left(5, "ZIIII")) / 2
    assert left(5, "IIIIZ", "ZIIII") == pytest.approx(both, rel=0.01)
    # The other fragment tells nothing of it, and so neither does the outcome at the cut.
    assert left(3, "IIIIZ") == pytest.approx(0.97 * (1 - READOUT), rel=0.01)


def test_swaps_that_a_coupling_map_needs_speak_for_cuts():
    """All ends of a star meet its middle, which has two neighbours on a line."""
    star = QuantumCircuit(5)
    star.h(0)
    for end in range(1, 5):
        star.cx(0, end)
        star.ry(0.3, end)
        star.cx(0, end)
    wanted = request_of(star, "ZZZZZ", 0.1)

    def lost(width, target):
        return plan_success(wanted.request, plan_cuts(star, width), Elsewhere(target))

    every = [(a, b) for a in range(5) for b in range(a)]
    gain = {
        name: lost(3, target) / lost(5, target)
        for name, target in (("line", line(5, 0.02)), ("all", line(5, 0.02, wires=every)))
    }
    assert gain["line"] > 1.05 * gain["all"]


def test_the_cheapest_comes_first_if_price_is_preferred():
    lab = Lab(one=line(5, 0.01), other=line(5, 0.01, cx_s=1e-3))
    terms = {
        "one": DeviceTerms(price_per_shot=0.01),
        "device_other": DeviceTerms(price_per_shot=0.001),
    }
    assert asked(dreamer(lab, terms)).best.configuration.on == "one"
    found = asked(dreamer(lab, terms), prefer="cost")
    assert found.best.configuration.on == "other"
    costs = [way.cost for way in found.predictions]
    assert costs == sorted(costs)
    assert f"costs {found.best.cost:.4g} USD" in found.explain()
    kept = asked(dreamer(lab, terms), limits=Limits(max_cost=1.01 * found.best.cost))
    assert {way.configuration.on for way in kept.predictions} == {"other"}


def test_simulators_may_be_weighed_too():
    lab = Lab(good=line(5, 0.002))
    found = asked(dreamer(lab), on=["cpu", "good"], prefer="fidelity")
    assert found.best.configuration.on == "cpu"
    assert found.best.error == 0.0
    assert {way.configuration.on for way in found.predictions} == {"cpu", "good"}


@pytest.mark.parametrize(
    ("how", "error", "complaint"),
    [
        ({"prefer": "luck"}, QDreamerError, "unknown prefer 'luck'; there is 'time', 'fidelity'"),
        ({"prefer": "cost"}, QDreamerError, "prefer='cost' needs the prices of device_one"),
        ({"on": []}, QDreamerError, r"on=\[\]: name at least one"),
        ({"on": ["one", "one"]}, QDreamerError, "none twice"),
        ({"on": ["one", "third"]}, PlacementError, "no pilot 'third'"),
    ],
)
def test_what_makes_no_sense_is_refused(how, error, complaint):
    lab = Lab(one=line(5, 0.01), other=line(5, 0.01))
    with pytest.raises(error, match=complaint):
        asked(dreamer(lab), **how)


def test_prices_in_several_currencies_are_not_compared():
    lab = Lab(one=line(5, 0.01), other=line(5, 0.01))
    terms = {
        "one": DeviceTerms(price_per_shot=0.01),
        "other": DeviceTerms(price_per_shot=0.001, currency="EUR"),
    }
    assert asked(dreamer(lab, terms)).best.cost > 0
    with pytest.raises(QDreamerError, match="prices in EUR, USD cannot be compared"):
        asked(dreamer(lab, terms), prefer="cost")


def test_a_recommendation_for_one_of_several_devices_runs_there(session):
    pilots = [
        session.add_pilot("qpu://fake_manila", name="first"),
        session.add_pilot("qpu://fake_vigo", name="second"),
    ]
    try:
        found = QDreamer(session, profile=MachineProfile.nominal()).recommend(
            ghz(4), neighbours(4), precision=0.1, on="qpu", prefer="fidelity"
        )
        assert {way.configuration.on for way in found.predictions} == {"first", "second"}
        result = found.run(seed=1)
        assert {row.pilot for row in result.record.fragments} == {found.best.configuration.on}
        assert np.isfinite(result.data.evs).all()
    finally:
        for pilot in pilots:
            pilot.stop()
