"""The event log as a file: written by threads, on full disks, read when it was cut short."""

import json
import os
import stat
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import event_log, registry
from pilot_kernel.resource.event_log import EventLog, read
from tests.conftest import wait_until


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "agent-1.jsonl"


def kinds(history):
    return [event["event"] for event in history.events]


def test_events_come_back_as_they_were_told_and_are_nobody_else_s(path):
    log = EventLog(path, {"agent": "agent-1"})
    log.add("task-queued", 12.5, task='a "quoted" ü-1', needs={"CPU": 1})
    log.add("nothing", None, of=None, yes=True, share=0.25, many=[1, "b"])
    log.close()
    history = read(path)
    head, queued, nothing = history.events
    assert (head["event"], head["version"], head["agent"]) == ("log", 1, "agent-1")
    assert queued == {
        "at": 12.5,
        "event": "task-queued",
        "task": 'a "quoted" ü-1',
        "needs": {"CPU": 1},
    }
    assert (nothing["of"], nothing["yes"], nothing["share"]) == (None, True, 0.25)
    assert nothing["many"] == [1, "b"]
    assert (history.unreadable, history.whole) == (0, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


_FACTS = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(lambda name: name not in ("at", "event")),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.lists(st.text(), max_size=2),
    ),
)


@given(st.floats(0, 4e9), _FACTS)
def test_whatever_is_told_is_a_line_of_json(at, facts):
    line = event_log._line("some", at, facts)
    assert "\n" not in line
    assert json.loads(line) == {"at": pytest.approx(at, abs=1e-4), "event": "some", **facts}


def test_what_waits_is_written_within_a_moment_without_being_asked(path):
    log = EventLog(path, {})
    log.add("one")
    wait_until(path.exists)
    log.add("two")
    wait_until(lambda: kinds(read(path)) == ["log", "one", "two"])
    log.close()


def test_a_line_that_was_cut_short_is_passed_over(path):
    log = EventLog(path, {})
    for at in range(3):
        log.add("some", number=at)
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    cut = read(path)
    assert [event.get("number") for event in cut.events] == [None, 0, 1]
    assert cut.unreadable == 1
    path.write_bytes(whole + b'\xff\xfe\n[1]\n"at"\n{"at": 1}\n{"at": "now", "event": "x"}\n')
    assert (kinds(read(path)), read(path).unreadable) == (["log", "some", "some", "some"], 5)


def test_a_log_that_grows_too_long_begins_anew_and_can_be_read_by_itself(path):
    there = [{"at": 1.0, "event": "worker-up", "worker": "w-0"}]
    log = EventLog(path, {"agent": "a"}, lambda: there, most_bytes=400)
    log.add("first")
    for number in range(40):
        log.add("some", number=number)
        log.flush()
    log.close()
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "agent-1.1.jsonl",
        "agent-1.jsonl",
    ]
    assert sum(each.stat().st_size for each in path.parent.iterdir()) < 1000
    history = read(path)
    assert not history.whole
    assert kinds(history)[:2] == ["log", "worker-up"]
    assert "first" not in kinds(history)
    numbers = [event["number"] for event in history.events if event["event"] == "some"]
    assert numbers == list(range(numbers[0], 40))
    path.with_name("agent-1.1.jsonl").unlink()
    assert kinds(read(path))[:2] == ["log", "worker-up"]


def test_a_full_disk_costs_events_and_says_how_many(path):
    path.parent.mkdir()
    path.symlink_to("/dev/full")
    log = EventLog(path, {})
    for _ in range(3):
        log.add("gone")
    log.flush()
    log.add("gone")
    log.flush()
    path.unlink()
    log.add("back")
    log.close()
    history = read(path)
    assert kinds(history) == ["log", "events-lost", "back"]
    assert history.events[1]["count"] == 4


def test_what_several_threads_tell_is_written_once_each(path):
    log = EventLog(path, {})
    done = threading.Event()

    def tell(name):
        for number in range(4000):
            log.add("told", name=name, number=number)

    def flush():
        while not done.is_set():
            log.flush()

    flusher = threading.Thread(target=flush)
    tellers = [threading.Thread(target=tell, args=(name,)) for name in "abc"]
    for thread in (flusher, *tellers):
        thread.start()
    for thread in tellers:
        thread.join()
    done.set()
    flusher.join()
    log.close()
    told = [event for event in read(path).events if event["event"] == "told"]
    for name in "abc":
        assert [e["number"] for e in told if e["name"] == name] == list(range(4000))


def test_a_file_that_is_no_log_or_of_another_version_is_named(home, path):
    with pytest.raises(PilotError, match=r"agent-1.jsonl is no event log"):
        read(path)
    path.parent.mkdir()
    path.write_text('{"at": 1, "event": "log", "version": 99}\n')
    with pytest.raises(PilotError, match=r"version 99; this pilot_kernel reads 1"):
        read(path)


def test_of_old_logs_the_latest_stay_and_those_of_living_agents(home):
    folder = home / registry.LOGS
    folder.mkdir(parents=True)
    now = time.time()
    for number in range(60):
        for suffix in (".jsonl", ".1.jsonl"):
            file = folder / f"agent-{number:02}{suffix}"
            file.touch()
            os.utime(file, (now - 1000 + number,) * 2)
    (home / "agent-03").mkdir()
    ancient = folder / "agent-59.jsonl"
    os.utime(ancient, (1, 1))
    event_log.prune()
    left = {each.name for each in folder.iterdir()}
    assert len(left) == 2 * 51
    assert "agent-03.jsonl" in left
    assert not any(name.startswith("agent-59") for name in left)
    assert event_log.logs()[-1].name == "agent-58.jsonl"
    registry.prune()  # it removes folders that nobody owns
    assert folder.exists()
