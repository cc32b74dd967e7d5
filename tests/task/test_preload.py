"""What task processes have ready before their first task, and what of that may go wrong."""

import itertools
import os
import sys
import textwrap
import time
from importlib.metadata import EntryPoint

import pytest

import pilot_kernel
from pilot_kernel.resource import start_nursery, worker_environment
from pilot_kernel.task.process import nursery, preload
from tests.conftest import PATIENCE_S, wait_until


@pytest.fixture(autouse=True)
def wanted(monkeypatch):
    monkeypatch.delenv(preload.WANTED, raising=False)


@pytest.fixture
def named(monkeypatch):
    """Have functions named as preloads: those of this module, by their names.

    Threads that sessions of other tests start meanwhile are not blamed on them.
    """
    monkeypatch.setattr(preload, "_threads", lambda: 1)

    def name(*functions):
        points = [
            EntryPoint(f.__name__, f"{__name__}:{f.__name__}", preload.ENTRY_POINTS)
            for f in functions
        ]
        monkeypatch.setattr(preload, "entry_points", lambda group: points)

    return name


def said(caplog):
    """What was logged of preloads; what other tests have left in this process may log, too."""
    return [record.getMessage() for record in caplog.records if record.name == preload.log.name]


done = []


def a_good_one():
    for step in "xyz":
        done.append(step)
        yield


def a_bad_one():
    done.append("bad")
    yield
    raise SystemExit("no library here")


def none_at_all():
    return iter(())


def test_all_is_done_step_by_step_and_what_fails_is_logged(named, caplog):
    done.clear()
    named(a_good_one, a_bad_one, none_at_all)
    steps = preload.steps()
    seen = [list(done) for _ in steps]
    assert seen[-1] == done == ["bad", "x", "y", "z"]
    assert all(len(after) - len(before) <= 1 for before, after in itertools.pairwise(seen))
    (told,) = said(caplog)
    assert "a_bad_one" in told
    assert "no library here" in told


def test_nothing_is_done_where_it_is_not_wanted(named, monkeypatch):
    done.clear()
    named(a_good_one)
    monkeypatch.setenv(preload.WANTED, "0")
    assert list(preload.steps()) == done == []


@pytest.mark.parametrize(("limit", "room"), [(None, True), (2 * 10**9, True), (10**8, False)])
def test_workers_with_little_memory_load_nothing_ahead(limit, room):
    environment = {} if limit is None else worker_environment.sizes(1, limit)
    assert nursery._gains(environment) is room


def test_a_qpu_s_processes_load_nothing_ahead():
    environment = worker_environment.sizes(1, 2 * 10**9)
    assert nursery._gains(environment)
    assert not nursery._gains(environment | {worker_environment.DEVICE: "fake_manila"})


def test_only_who_begins_says_what_goes_wrong(named, caplog, monkeypatch):
    """Of a forked process that goes on with it, the words would be its task's output."""
    named(a_bad_one)
    begun = preload.steps()
    next(begun)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    list(begun)
    assert not said(caplog)


def test_a_function_that_is_not_there_is_logged_too(monkeypatch, caplog):
    points = [EntryPoint("gone", "nowhere.at_all:f", preload.ENTRY_POINTS)]
    monkeypatch.setattr(preload, "entry_points", lambda group: points)
    assert len(list(preload.steps())) == 1
    assert "nowhere.at_all" in caplog.text


def install(folder, monkeypatch, source):
    """Have a package in `folder` that new processes find, with a preload of its own."""
    (folder / "sooner.py").write_text(textwrap.dedent(source))
    info = folder / "sooner-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sooner\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pilot_kernel.preloads]\nsooner = sooner:preload\n")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")


def test_it_is_done_before_anybody_asks_unless_there_is_one_core(tmp_path, monkeypatch):
    """Task processes are warm then, however soon the first is asked for."""
    source = """
        import pathlib

        def preload():
            pathlib.Path(__file__).with_name("done").touch()
            yield
    """
    install(tmp_path, monkeypatch, source)
    for cores, ahead in ((1, False), (2, True)):
        monkeypatch.setenv(worker_environment.CORES, str(cores))
        process = start_nursery.start(str(tmp_path / "nursery"))
        if ahead:
            wait_until((tmp_path / "done").exists)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert (tmp_path / "done").exists() is ahead


_PACKAGE = """
    import os

    made_in = []

    def preload():
        made_in.append(os.getpid())
        yield
        raise RuntimeError("amid it")
"""


def test_task_processes_have_it_before_a_task_and_are_no_worse_for_its_failure(
    tmp_path, monkeypatch
):
    """The real way: an installed package, an agent, a nursery, a worker."""
    install(tmp_path, monkeypatch, _PACKAGE)
    with pilot_kernel.session() as session:
        session.add_pilot("local://", cores_per_node=1)

        def look():
            module = sys.modules.get("sooner")
            return None if module is None else module.made_in

        def found_after_being_idle():
            time.sleep(0.5)
            return session.submit(look).result(PATIENCE_S) is not None

        wait_until(found_after_being_idle)
        made_in = session.submit(look).result(PATIENCE_S)
        assert len(made_in) == 1
