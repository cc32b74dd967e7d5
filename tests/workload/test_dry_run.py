"""What a run on a device would take, against what the same run takes; and nothing is sent."""

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator

from qdreamer_lab import CutEstimator, CutSampler, DeviceTerms, QDreamerError
from qdreamer_lab.errors import DeviceError, PrecisionError, PubError
from qdreamer_lab.workload import dry_run as dry_runs
from qdreamer_lab.workload.sampled import rehearsal
from qdreamer_lab.workload.sampled.rehearsal import DEALT, GUESSED, REHEARSED
from tests.workload.sampled.device.cut_devices import Elsewhere

TERMS = DeviceTerms(price_per_second=2.0, price_per_shot=1e-3, price_per_job=5.0, currency="EUR")


def chain(qubits=6):
    """No part of it is carried back, so it has to be cut."""
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(0.3 + 0.2 * qubit, qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.rx(0.4, range(qubits))
    return circuit


def timed(qubits=6):
    """A device that is not known to be a simulator, whose target tells how long gates take."""
    return Elsewhere(GenericBackendV2(qubits, ["rz", "sx", "x", "cx"], seed=1).target)


def sent(device):
    """Circuits, jobs and shots that a device was sent."""
    shots = sum(circuits * each for circuits, each in device.jobs)
    return sum(circuits for circuits, _ in device.jobs), len(device.jobs), shots


def foretold(told):
    (work,) = told.devices
    return work.circuits, work.jobs, work.shots


# So few that there is one round, and so many that there are two.
@pytest.mark.parametrize("shots", [200, 20_000])
@pytest.mark.parametrize("sampler", [False, True])
def test_with_shots_given_a_run_takes_what_was_foretold(shots, sampler):
    device = timed()
    if sampler:
        cut, pubs = CutSampler(3, backend=device, seed=1, default_shots=shots), [chain()]
        pubs[0].measure_all()
    else:
        cut, pubs = CutEstimator(3, backend=device, seed=1, shots=shots), [(chain(), "Z" * 6)]
    told = cut.dry_run(pubs, terms=TERMS)
    assert device.jobs == []
    (result,) = cut.run(pubs).result()
    circuits, jobs, taken = sent(device)
    if shots == 200:
        assert foretold(told) == (circuits, jobs, taken)
    # Later rounds are dealt out by what the first has shown, so they may have a job more or less.
    expected = foretold(told)
    assert expected[0] == pytest.approx(circuits, rel=0.1)
    assert abs(expected[1] - jobs) <= 3
    assert expected[2] == pytest.approx(taken, rel=0.05)
    (work,) = told.devices
    assert work.variants == result.record.variants
    assert work.fragments == len(result.record.plan.fragments) == 2
    assert work.price == pytest.approx(2 * work.qpu_s + 1e-3 * work.shots + 5 * work.jobs)
    assert work.currency == "EUR"
    assert told.shots == work.shots
    assert (
        told.plans == (result.record.plan,) or told.plans[0].summary == result.record.plan.summary
    )


def test_seconds_are_those_of_the_circuits_that_run(monkeypatch):
    device = timed()
    cut = CutEstimator(3, backend=device, seed=1, shots=200)
    told = cut.dry_run([(chain(), "Z" * 6)])
    circuits = []
    real = Elsewhere.run
    monkeypatch.setattr(
        Elsewhere,
        "run",
        lambda self, run_input, **how: (
            circuits.extend((c, how["shots"]) for c in run_input) or real(self, run_input, **how)
        ),
    )
    cut.run([(chain(), "Z" * 6)]).result()
    total = sum(shots * (longest(circuit, device.target) + 2.5e-4) for circuit, shots in circuits)
    assert told.qpu_s == pytest.approx(total, rel=0.02)


def longest(circuit, target):
    """The longest path through a circuit, by brute force over all instructions before each."""
    steps = [step for step in circuit.data if step.name != "barrier"]
    ends = []
    for k, step in enumerate(steps):
        bits = {*step.qubits, *step.clbits}
        before = (ends[j] for j in range(k) if bits & {*steps[j].qubits, *steps[j].clbits})
        at = tuple(circuit.find_bit(qubit).index for qubit in step.qubits)
        ends.append(max(before, default=0.0) + target[step.name][at].duration)
    return max(ends, default=0.0)


def test_shots_for_a_precision_are_rehearsed():
    device = timed()
    cut = CutEstimator(3, backend=device, seed=1)
    told = cut.dry_run([(chain(), ["Z" * 6, "XIIIII"])], precision=0.02)
    assert REHEARSED in told.notes
    assert device.jobs == []
    cut.run([(chain(), ["Z" * 6, "XIIIII"])], precision=0.02).result()
    _, jobs, shots = sent(device)
    assert foretold(told)[2] == pytest.approx(shots, rel=0.5)
    assert foretold(told)[1] == pytest.approx(jobs, rel=0.5)


def test_where_that_takes_too_long_they_are_guessed_and_it_is_said(monkeypatch):
    monkeypatch.setattr(dry_runs, "_REHEARSAL_S", 0.0)
    device = timed()
    cut = CutEstimator(3, backend=device, seed=1)
    told = cut.dry_run([(chain(), "Z" * 6)], precision=0.02)
    assert GUESSED in told.notes
    cut.run([(chain(), "Z" * 6)], precision=0.02).result()
    assert 1 / 6 < foretold(told)[2] / sent(device)[2] < 6


@pytest.mark.parametrize("lacking", ["time", "memory"])
def test_shots_that_cannot_be_rehearsed_are_known_all_the_same(monkeypatch, lacking):
    if lacking == "time":
        monkeypatch.setattr(dry_runs, "_REHEARSAL_S", 0.0)
    else:
        monkeypatch.setattr(rehearsal, "_fits", lambda fragments, limit_bytes: False)
    told = CutSampler(3, backend=timed(), seed=1).dry_run([measured()], shots=20_000)
    assert DEALT in told.notes
    assert 19_000 < foretold(told)[2] <= 20_000


def test_sweeps_and_several_pubs_are_added_up():
    theta = Parameter("theta")
    sweep = chain().copy()
    sweep.rx(theta, range(6))
    pubs = [(sweep, "Z" * 6, [0.1, 0.2, 0.3]), (chain(), "X" * 6)]
    device = timed()
    cut = CutEstimator(3, backend=device, seed=1, shots=200)
    told = cut.dry_run(pubs)
    cut.run(pubs).result()
    assert foretold(told) == sent(device)
    assert len(told.plans) == 2


def test_a_device_that_is_too_small_is_refused_or_stood_in_for():
    small = timed(2)
    with pytest.raises(DeviceError, match="needs 3 qubits and it has 2"):
        CutEstimator(3, backend=small, shots=300).dry_run([(chain(), "Z" * 6)])
    told = CutEstimator(3, backend=small, shots=300, fallback="cpu").dry_run([(chain(), "Z" * 6)])
    assert told.jobs == 0
    (only,) = told.devices
    assert only.device == "simulators"
    assert 250 < only.shots <= 300
    assert "would run on simulators instead" in told.notes[0]


def test_what_a_run_would_refuse_is_refused():
    device = timed()
    cut = CutEstimator(3, backend=device, seed=1, max_shots=5000)
    with pytest.raises(PrecisionError, match="max_shots=5,000"):
        cut.dry_run([(chain(), "Z" * 6)], precision=1e-4)
    with pytest.raises(PubError, match="need more than zero"):
        cut.dry_run([(chain(), "Z" * 6)], precision=0.0)
    with pytest.raises(PrecisionError, match="too few for"):
        CutSampler(3, backend=device).dry_run([measured()], shots=3)
    assert device.jobs == []


def measured():
    circuit = chain()
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("cut", [CutEstimator(3, seed=1), CutSampler(3, mode="exact")])
def test_simulators_cost_nothing_and_are_not_dry_run(cut):
    pubs = [measured()] if isinstance(cut, CutSampler) else [(chain(), "Z" * 6)]
    with pytest.raises(QDreamerError, match=r"on='qpu'.*backend=.*QDreamer.predict"):
        cut.dry_run(pubs)


def test_what_a_device_does_not_tell_is_unknown():
    told = CutEstimator(3, backend=Elsewhere(), shots=300).dry_run(
        [(chain(), "Z" * 6)], terms=TERMS
    )
    assert told.qpu_s is None
    assert told.devices[0].price is None
    assert "unknown seconds" in str(told)
    assert CutEstimator(3, backend=AerSimulator(), shots=300).dry_run([]).devices == ()


def test_a_round_is_one_task_for_each_fragment_on_a_device():
    result = CutEstimator(3, backend=timed(), seed=1, shots=20_000).run([(chain(), "Z" * 6)])
    assert len(result.result()[0].record.fragments) == 4  # two fragments, two rounds
