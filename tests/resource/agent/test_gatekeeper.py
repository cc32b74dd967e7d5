"""Workers of other versions are not let in, and it is said why."""

import pytest

import pilot_kernel
from pilot_kernel.resource.versions import here
from tests.conftest import wait_until


@pytest.fixture
def picky(registry_home):
    """A session whose agent has another Qiskit than its workers, from now on."""
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1, name="old")
        assert session.submit(pow, 2, 2).result(60) == 4

        _change(session, "0.1")
        yield session


def _change(session, qiskit):
    def change(dask_scheduler):
        dask_scheduler.versions = {**dask_scheduler.versions, "qiskit": qiskit}

    session._link.client.run_on_scheduler(change)


def test_a_worker_of_other_versions_is_refused_with_both_sides_named(picky):
    pilot = picky.add_pilot("local://", cores_per_node=1, name="new")
    wait_until(lambda: "refused" in pilot.status.note)
    assert "worker new-0 was refused: qiskit is 0.1 here and " in pilot.status.note
    assert " there; install the same versions" in pilot.status.note
    wait_until(lambda: pilot.status.state == "FAILED")
    assert pilot.status.workers == 0
    assert picky.submit(pow, 2, 3).result(60) == 8, "on those that are there"
    with pytest.raises(pilot_kernel.errors.PlacementError, match="FAILED"):
        picky.submit(pow, 2, 2, on="new")
    _change(picky, here()["qiskit"])
    picky.add_pilot("local://", cores_per_node=1, name="later")
    assert picky.submit(pow, 2, 4, on="later").result(60) == 16
