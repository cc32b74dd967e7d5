"""The first run in a process or on a pilot's workers is told from later ones."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest

from qdreamer_lab import MachineProfile, QDreamer
from qdreamer_lab.workload.execution import first_runs
from qdreamer_lab.workload.execution.dispatch import run_chunks
from tests.circuits.plain import ghz, neighbours
from tests.workload.execution.test_dispatch import chunk


class Session:
    """Pilots with two workers each, whose tasks run in threads."""

    def __init__(self, pool, names):
        self.pool, self.names = pool, names

    def candidates(self, on=None):
        return [
            SimpleNamespace(
                name=name,
                wanted=2,
                workers=2,
                resource="local://",
                cores_per_worker=1,
                memory_per_worker_bytes=8 << 30,
                backend=None,
                offers=("CPU",),
            )
            for name in self.names
            if on in (None, name)
        ]

    pilots_for = pilot_statuses = candidates

    def submit(self, fn, /, *args, name, on=None):
        return self.pool.submit(fn, *args)

    def backend(self, on=None):
        return None


@pytest.fixture
def session():
    with ThreadPoolExecutor(2) as pool:
        yield Session(pool, ["a", "b"])


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(first_runs, "_here", set())


def run(session, on=None):
    run_chunks([chunk(1, 1.0)], session, on=on, stop=threading.Event(), keep=lambda *_: None)


def told(session, on=None, warm_up_s=0.6, **options):
    profile = replace(MachineProfile.nominal(), warm_up_s=warm_up_s)
    dreamer = QDreamer(session, profile=profile)
    found = dreamer.predict(ghz(6), neighbours(6), max_qubits=4, on=on, **options)
    said = [note for note in found.notes if note.startswith("the first run")]
    assert len(said) <= 1
    assert bool(said) <= (found.first_run_s > 0)
    return said[0] if said else ""


def test_only_pilots_that_ran_something_are_known(session, fresh):
    assert "on these workers" in told(session, "a")
    run(session, "a")
    assert told(session, "a") == ""
    assert "on these workers" in told(session, "b")
    assert "on these workers" in told(session)  # some of it would run on b
    run(session)
    assert told(session, "b") == told(session) == ""


def test_this_process_is_known_apart_from_sessions(session, fresh):
    run(session)
    assert "in this process" in told(None)
    assert "in this process" in told(session, in_process=True)
    run(None)
    assert told(None) == told(session, in_process=True) == ""


def test_it_is_said_only_where_it_matters(session, fresh):
    assert told(session, warm_up_s=1e-6) == ""
    assert "about 2 s more" in told(session, warm_up_s=2.0)


def test_a_run_that_fails_teaches_nothing(session):
    with pytest.raises(ZeroDivisionError):
        run_chunks(
            [chunk(1, 1.0), chunk(2, 1.0)],
            session,
            stop=threading.Event(),
            keep=lambda *_: 1 / 0,
        )
    assert not first_runs.has_run(session, ["a"])


def test_sessions_are_let_go():
    with ThreadPoolExecutor(1) as pool:
        session = Session(pool, ["a"])
        first_runs.ran(session, ["a"])
        kept = weakref.ref(session)
        del session
        gc.collect()
        assert kept() is None


def test_a_session_that_cannot_be_remembered_is_always_new():
    class Slotted:
        __slots__ = ()

    first_runs.ran(Slotted(), ["a"])
    assert not first_runs.has_run(Slotted(), ["a"])
