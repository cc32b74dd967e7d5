"""Three kinds of pilot feed one session: this machine, batch jobs, and a QPU with noise."""

import os
import time
from collections import Counter

import pytest

import pilot_kernel
from tests.conftest import wait_until
from tests.real.mixed_work import SHOTS, Mixture

pytestmark = pytest.mark.real

TASKS = 500
PATIENCE_S = 180
JOBS = {
    "interface": "lo",
    "walltime": "20",
    "number_of_nodes": 2,
    "cores_per_node": 1,
    "memory_per_node_bytes": 10**9,
}


@pytest.fixture
def three(registry_home, slurm):
    """A session with two workers of each kind."""
    with pilot_kernel.Session() as session:
        session.add_pilot("slurm://", name="cluster", **JOBS)
        session.add_pilot("local://", name="here", cores_per_node=2)
        session.add_pilot("qpu://fake_manila?slots=2", name="device")
        wait_until(lambda: [p.workers for p in session.pilot_statuses()] == [2, 2, 2], 60)
        yield session
    wait_until(lambda: not slurm.jobs())


def test_five_hundred_mixed_tasks_are_all_right_and_every_worker_has_its_share(three):
    mixture = Mixture(three, seed=13)
    pieces = [mixture.submit() for _ in range(TASKS)]
    answers = [piece.task.result(PATIENCE_S) for piece in pieces]
    wrong = [
        f"{piece.kind}: {told}"
        for piece, answer in zip(pieces, answers, strict=True)
        if (told := piece.wrong(answer)) is not None
    ]
    assert not wrong
    shots = [answer for piece, answer in zip(pieces, answers, strict=True) if piece.kind == "shots"]
    right = sum(
        sum(counts.get(bits, 0) for bits in ("0000", "1111"))
        for counts in (answer[0].data.meas.get_counts() for answer in shots)
    )
    assert len(shots) > 50
    assert right < 0.98 * SHOTS * len(shots)  # there is noise

    records = [three.history([piece.task.key])[0] for piece in pieces]
    assert {record.deaths for record in records} == {0}
    where = {(record.pilot, record.worker) for record in records}
    assert Counter(pilot for pilot, _ in where) == {"here": 2, "cluster": 2, "device": 2}
    assert {r.pilot for r, p in zip(records, pieces, strict=True) if p.kind == "shots"} == {
        "device"
    }
    report = three.report()
    assert sum(report.figures.states.values()) >= TASKS
    assert all(worker.use.done > 0 for worker in report.workers)
    print(f"\n{report.table}")


def test_a_pilot_that_is_added_in_the_middle_takes_its_share_at_once(
    registry_home, slurm, tmp_path
):
    gate, ready = tmp_path / "gate", tmp_path / "ready"
    ready.mkdir()

    def hold():  # else all may be done before the jobs have started, or have loaded what they need
        import qiskit_aer

        assert qiskit_aer
        (ready / str(os.getpid())).touch()
        while not gate.exists():
            time.sleep(0.01)

    with pilot_kernel.Session() as session:
        session.add_pilot("local://", name="here", cores_per_node=1)
        session.on_start(hold)
        mixture = Mixture(session, seed=4, device="cpu")
        pieces = [mixture.submit() for _ in range(300)]
        session.add_pilot("slurm://", name="cluster", **JOBS)
        wait_until(lambda: len(list(ready.iterdir())) == 3, timeout_s=120)
        gate.touch()
        assert not [told for piece in pieces if (told := piece.wrong(piece.task.result(180)))]
        records = [session.history([piece.task.key])[0] for piece in pieces]
        taken = [record for record in records if record.pilot == "cluster"]
        came = min(record.started for record in taken)
        later = [record for record in records if record.started >= came]
        assert len(taken) > len(later) / 3  # of three workers it has two
    wait_until(lambda: not slurm.jobs())
