"""Several devices in one run: who runs what, what happens when one fails, and the same values."""

import threading
from functools import partial

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Pauli, Statevector
from qiskit_aer import AerSimulator

from qdreamer_lab import CutEstimator, CutSampler, QDreamerError
from qdreamer_lab.errors import DeviceError, WorkersLostError
from qdreamer_lab.workload.execution.dispatch import _row
from qdreamer_lab.workload.execution.execution import Execution
from tests.workload.sampled.device.cut_devices import Elsewhere
from tests.workload.test_dry_run import chain, measured, sent

LABELS = ["Z" * 6, "XIIIII", "IIZZII"]


def device(name, qubits=6, error=None):
    made = Elsewhere(GenericBackendV2(qubits, ["rz", "sx", "x", "cx"], seed=1).target, error)
    made.name = name
    return made


def exact():
    state = Statevector(chain())
    return np.array([state.expectation_value(Pauli(label)).real for label in LABELS])


def who(result):
    """The devices of each fragment."""
    found = {}
    for row in result.record.fragments:
        found.setdefault(row.fragment, set()).add(row.device)
    return found


def all_of(result):
    """The devices of all fragments."""
    return set().union(*who(result).values())


def assert_right(result):
    assert (np.abs(result.data.evs - exact()) < 5 * result.data.stds).all()
    assert (result.data.stds < 0.1).all()


def test_fragments_are_shared_out_and_both_devices_have_as_much_to_do():
    one, other = device("one"), device("other")
    cut = CutEstimator(3, backend=[one, other], shots=20_000, seed=1)
    (result,) = cut.run([(chain(), LABELS)]).result()
    assert_right(result)
    assert all_of(result) == {"one", "other"}
    # Two seconds for a job, three tenths of a millisecond for a shot; two rounds.
    busy = [2 * len(each.jobs) + 3e-4 * sent(each)[2] for each in (one, other)]
    assert abs(busy[0] - busy[1]) < 2
    assert result.record.shots == sent(one)[2] + sent(other)[2] == pytest.approx(20_000, rel=0.05)
    assert result.record.notes == ()


def test_a_seed_means_the_same_on_any_number_of_devices():
    """Devices that heed seeds; nothing but the place of a fragment differs."""
    pair = [AerSimulator(), AerSimulator()]
    pubs = [(chain(), LABELS)]
    (alone,) = CutEstimator(3, backend=pair[0], shots=5000, seed=3).run(pubs).result()
    (shared,) = CutEstimator(3, backend=pair, shots=5000, seed=3).run(pubs).result()
    np.testing.assert_allclose(shared.data.evs, alone.data.evs, atol=1e-12)
    assert all_of(shared) == {"aer_simulator-0", "aer_simulator-1"}


def test_unequal_devices_get_what_fits():
    wide, narrow = device("wide", 4), device("narrow", 2)
    cut = CutEstimator([4, 2], backend=[narrow, wide], shots=20_000, seed=1)
    (result,) = cut.run([(chain(), LABELS)]).result()
    widths = {f.id: f.width for f in result.record.plan.fragments}
    assert sorted(widths.values()) == [2, 4]
    ran = {widths[number]: names for number, names in who(result).items()}
    assert ran[4] == {"wide"}
    assert "narrow" in ran[2]
    assert_right(result)


def test_a_device_that_refuses_is_followed_by_the_next():
    broken, sound = device("broken", error=RuntimeError("out of order")), device("sound")
    cut = CutEstimator(3, backend=[broken, sound], shots=20_000, seed=1)
    (result,) = cut.run([(chain(), LABELS)]).result()
    assert_right(result)
    assert all_of(result) == {"sound"}
    (note,) = result.record.notes
    assert "ran on sound: device broken: a job failed: out of order" in note
    assert sent(sound)[2] == result.record.shots


class Failing(Elsewhere):
    """A device that dies after some jobs."""

    def __init__(self, name, most):
        super().__init__(GenericBackendV2(6, ["rz", "sx", "x", "cx"], seed=1).target)
        self.name, self.most = name, most

    def run(self, run_input, **options):
        if len(self.jobs) >= self.most:
            raise RuntimeError("it died")
        return super().run(run_input, **options)


@pytest.mark.parametrize("most", [1, 3])
def test_values_stay_unbiased_when_one_dies_in_the_middle(most):
    values = []
    for seed in range(20):
        dying, sound = Failing("dying", most), device("sound")
        cut = CutEstimator(3, backend=[dying, sound], shots=4000, seed=seed)
        (result,) = cut.run([(chain(), LABELS)]).result()
        values.append((result.data.evs - exact()) / result.data.stds)
        assert "it died" in result.record.notes[0]
        assert 3000 < result.record.shots <= 4000
    off = np.array(values).mean(axis=0) * np.sqrt(len(values))
    assert (np.abs(off) < 4.5).all()
    assert 0.5 < np.array(values).std() < 1.5


def small():
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.ry(1.1, 1)
    circuit.cx(1, 2)
    return circuit


@pytest.mark.parametrize("dies", [False, True])
def test_the_shots_of_one_circuit_are_shared_out(dies):
    """One fragment, one basis: there are no circuits to be parted, only shots."""
    true = Statevector(small()).expectation_value(Pauli("ZIZ")).real
    off = []
    for seed in range(12):
        one, other = Failing("one", 1 if dies else 100), device("other")
        cut = CutEstimator(3, backend=[one, other], shots=6000, seed=seed)
        (result,) = cut.run([(small(), "ZIZ")]).result()
        assert 5900 < result.record.shots == sent(one)[2] + sent(other)[2] <= 6000
        assert all_of(result) == {"one", "other"}
        if not dies:
            assert sent(one)[2] == pytest.approx(3000, abs=300)
        off.append(float((result.data.evs - true) / result.data.stds))
    assert abs(np.mean(off)) < 4.5 / np.sqrt(len(off))
    assert 0.5 < np.std(off) < 1.6


def test_distributions_of_shared_circuits():
    circuit = small()
    circuit.measure_all()
    pair = [device("one"), device("other")]
    (result,) = CutSampler(3, backend=pair, seed=1).run([circuit], shots=20_000).result()
    assert all(sent(each)[2] > 5000 for each in pair)
    found = result.distribution
    true = Statevector(small()).probabilities()
    assert (np.abs(found.quasi() - true) < 5 * found.stds() + 1e-3).all()


def test_what_a_lost_device_has_not_brought_is_run_by_others_and_once(monkeypatch):
    """Of the first round one part has come back, one was under way, the rest not handed out."""
    real, brought = Execution.run, []

    def run(self, chunks, keep, *, pace=None):
        device = keep.keywords.get("device") if isinstance(keep, partial) else None
        if device is None or device.name != "lost":
            return real(self, chunks, keep, pace=pace)
        share = max(chunks, key=lambda part: part.remaining)
        first, _ = share.take(1), share.take(1)
        result = first.function(*first.args)
        brought.append(first.shots)
        keep(first, result, _row(first, result, None))
        raise WorkersLostError("no worker is left")

    monkeypatch.setattr(Execution, "run", run)
    lost, sound = device("lost"), device("sound")
    cut = CutEstimator(3, backend=[lost, sound], shots=20_000, seed=1)
    (result,) = cut.run([(chain(), LABELS)]).result()
    assert_right(result)
    assert sent(lost)[2] == sum(brought) > 0
    assert sent(lost)[2] + sent(sound)[2] == result.record.shots
    rows = result.record.fragments
    assert result.record.shots == sum(row.shots for row in rows)
    variants = {f: sum(r.variants for r in rows if r.fragment == f) for f in who(result)}
    assert sum(variants.values()) == 2 * result.record.variants  # two rounds
    assert len(brought) == 1  # it was not asked again
    assert "ran on sound: device lost: no worker is left" in result.record.notes[0]


def test_the_last_resort_is_simulators_if_they_are_allowed():
    broken = [device(name, error=RuntimeError("no")) for name in ("a", "b")]
    with pytest.raises(DeviceError, match="a job failed: no"):
        CutEstimator(3, backend=broken, shots=9000).run([(chain(), LABELS)]).result()
    cut = CutEstimator(3, backend=broken, shots=9000, fallback="cpu", seed=1)
    (result,) = cut.run([(chain(), LABELS)]).result()
    assert_right(result)
    assert all_of(result) == {""}
    assert all("simulator instead: device" in note for note in result.record.notes)


def test_distributions_come_from_several_devices_too():
    one, other = device("one"), device("other")
    cut = CutSampler(3, backend=[one, other], seed=1)
    (result,) = cut.run([measured()], shots=20_000).result()
    found = result.distribution
    true = Statevector(chain()).probabilities()
    assert (np.abs(found.quasi() - true) < 6 * found.stds() + 2e-3).all()
    assert all_of(result) == {"one", "other"}


def test_both_work_at_the_same_time():
    """Each device waits for the other's first job, and for nothing else."""
    together = threading.Barrier(2, timeout=120)

    class Waiting(Elsewhere):
        def run(self, run_input, **options):
            if not self.jobs:
                together.wait()
            return super().run(run_input, **options)

    target = GenericBackendV2(6, ["rz", "sx", "x", "cx"], seed=1).target
    pair = [Waiting(target), Waiting(target)]
    CutEstimator(3, backend=pair, shots=200, seed=1).run([(chain(), LABELS)]).result()
    assert all(each.jobs for each in pair)


def test_a_dry_run_tells_them_apart():
    pair = [device("one"), device("other")]
    cut = CutEstimator(3, backend=pair, shots=200, seed=1)
    told = cut.dry_run([(chain(), LABELS)])
    assert not pair[0].jobs
    cut.run([(chain(), LABELS)]).result()
    known = {work.device: (work.circuits, work.jobs, work.shots) for work in told.devices}
    assert known == {each.name: sent(each) for each in pair}
    assert told.jobs == len(pair[0].jobs) + len(pair[1].jobs)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"backend": []}, r"backend=\[\]: name one at least"),
        ({"on": ["a", "a"]}, "on= names 'a' twice"),
    ],
)
def test_lists_that_make_no_sense_are_refused(options, complaint):
    with pytest.raises(QDreamerError, match=complaint):
        CutEstimator(3, **options)


def test_by_their_pilots_names(session):
    pilots = [
        session.add_pilot("qpu://fake_manila", name="first"),
        session.add_pilot("qpu://fake_vigo", name="second"),
    ]
    try:
        cut = CutEstimator(3, session=session, on=["first", "second"], shots=4000, seed=1)
        (result,) = cut.run([(chain(), LABELS)]).result()
        assert all_of(result) == {"first", "second"}
        assert {row.device for row in result.record.fragments if row.pilot == "first"} == {"first"}
        (every,) = CutSampler(3, session=session, on="qpu", seed=1).run([measured()]).result()
        assert all_of(every) == {"first", "second"}
        whole = small()
        whole.measure_all()
        for on in (["first", "second"], "qpu"):
            task = session.run(whole, on=on, shots=300, prefer="fidelity")
            found = task.result(120)
            assert found.metadata["device"] in {"first", "second"}
            assert found[0].data.meas.num_shots == 300
        with pytest.raises(QDreamerError, match="'cpu' stands for simulators"):
            CutEstimator(3, session=session, on=["first", "cpu"], shots=400).run(
                [(chain(), LABELS)]
            ).result()
    finally:
        for pilot in pilots:
            pilot.stop()
