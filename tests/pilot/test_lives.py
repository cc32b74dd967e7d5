"""Agents that start, leave or are killed while others come: with real processes."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import AgentLostError, AgentStartError, PilotError
from pilot_kernel.resource import registry, versions
from pilot_kernel.resource.agent.agent import Agent
from pilot_kernel.resource.connection import launch, link
from tests.conftest import PATIENCE_S, agents_of, wait_until
from tests.pilot.mischief import family, kill_family


def run(program, *args, **options):
    """Run a program that may kill itself; what it printed."""
    command = [sys.executable, "-c", textwrap.dedent(program), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, **options)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.stdout


def left_of(entry):
    """What is there of an agent: folders and semaphores."""
    places = [Path(entry.scratch), entry.directory]
    return [
        *(place for place in places if place.exists()),
        *Path("/dev/shm").glob(f"sem.pilot-{entry.id}-*"),
    ]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A registry with nothing in it."""
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def temporary():
    """A folder for temporary files, with a name short enough for sockets in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_long_name_of_the_temporary_folder_is_no_obstacle(home, tmp_path):
    long = tmp_path / ("long" * 20)
    long.mkdir()
    program = """
        import pilot_kernel
        with pilot_kernel.session() as session:
            print(session.submit(pow, 2, 5).result(60))
    """
    assert run(program, env={**os.environ, "TMPDIR": str(long)}) == "32\n"


# ---- attaching while an agent ends


@pytest.mark.parametrize("delay_s", [0.0, 0.1])
def test_who_comes_while_an_agent_leaves_gets_a_new_one(registry_home, delay_s):
    first = pilot_kernel.Session("leaving", idle_timeout_s=60)
    entry = first._link.client and first._link.entry
    first.detach()
    os.kill(entry.pid, signal.SIGTERM)
    time.sleep(delay_s)  # where it is by then is its own affair: each moment must do
    with pilot_kernel.Session("leaving", idle_timeout_s=60) as second:
        assert second.submit(pow, 2, 5).result(60) == 32
        assert second._link.entry.id != entry.id
    wait_until(lambda: not left_of(entry))


def test_an_agent_that_ends_as_somebody_comes_is_not_the_end_of_it(home, monkeypatch):
    """It looks alive, is not there, and then is gone: as far as attaching can get."""
    hang_up = link.Link._hang_up

    def end_and_hang_up(self):
        process.kill()
        process.wait()
        hang_up(self)

    with subprocess.Popen(["sleep", "1000"]) as process:
        entry, new = registry.claim("doomed", 60.0)
        assert new
        started = psutil.Process(process.pid).create_time()
        address = "tls://127.0.0.1:9"
        entry = dataclasses.replace(
            entry,
            phase="open",
            address=address,
            pid=process.pid,
            started=started,
            versions=versions.here(),
        )
        registry.write(entry)
        monkeypatch.setattr(link.Link, "_hang_up", end_and_hang_up)
        session = pilot_kernel.Session("doomed", idle_timeout_s=60)
        assert session.attached
        wait_until(lambda: process.returncode is not None)
        monkeypatch.setattr(link.Link, "_hang_up", hang_up)
    with session:
        assert session.submit(pow, 2, 5).result(60) == 32
        assert not session.attached
    assert not left_of(entry)


def test_an_agent_that_turns_a_client_away_is_replaced(registry_home, monkeypatch):
    """The last moment at which an idle agent can decide to leave: when a client is connected."""
    first = pilot_kernel.Session("unwelcome", idle_timeout_s=60)
    first.submit(pow, 2, 2).result(60)
    old = first._link.entry
    first.detach()
    connect = link.Link._connect

    def connect_and_see_it_leave(self):
        connect(self)
        if self.entry.id == old.id:
            self._client.sync(self._client.scheduler.agent_leave)

    monkeypatch.setattr(link.Link, "_connect", connect_and_see_it_leave)
    with pilot_kernel.Session("unwelcome", idle_timeout_s=60) as second:
        assert second.submit(pow, 2, 5).result(60) == 32
        assert second._link.entry.id != old.id
        assert [task.name for task in second.tasks] == ["pow"]


def test_an_agent_that_does_not_answer_is_said_to_be_there(registry_home, monkeypatch):
    with pilot_kernel.Session("stopped", idle_timeout_s=60) as first:
        entry = first._link.client and first._link.entry
        monkeypatch.setattr(link, "_CONNECT_S", 0.5)  # not before it has come, however slowly
        os.kill(entry.pid, signal.SIGSTOP)
        try:
            second = pilot_kernel.Session("stopped")
            with pytest.raises(AgentLostError, match=rf"{entry.id}.*does not answer.*reap"):
                second.submit(pow, 2, 2)
            second.detach()
        finally:
            os.kill(entry.pid, signal.SIGCONT)
        assert first.submit(pow, 2, 5).result(60) == 32


def test_two_that_ask_for_one_name_at_once_share_an_agent(registry_home):
    first, second = (pilot_kernel.Session("twins", idle_timeout_s=60) for _ in range(2))
    assert first.submit(pow, 2, 5).result(60) == second.submit(pow, 2, 5).result(60) == 32
    assert first._link.entry.id == second._link.entry.id
    assert (first.attached, second.attached) == (False, True)
    second.detach()
    first.close()


# ---- killed at whatever moment

_STARTED_AND_LEFT = """
    import os, signal, sys
    from pilot_kernel.resource import registry, versions
    from pilot_kernel.resource.connection import launch
    from pilot_kernel.sessions.batch_script import AGENT_PLUGINS
    entry, _ = registry.claim(sys.argv[1], 60.0)
    process = launch.start(entry, AGENT_PLUGINS)
    if sys.argv[2] == "open":
        launch.wait(entry, process)
    print(entry.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_agent_whose_starter_was_killed_is_whole(registry_home):
    run(_STARTED_AND_LEFT, "half", "open")
    with pilot_kernel.Session("half") as session:
        assert session.attached
        task = session.submit(print, "heard")
        task.result(60)
        assert task.output.text() == "heard\n"  # the plugins are there
        assert task.record.state == "DONE"


def test_an_agent_without_a_name_ends_with_its_starter_even_before_that_connects(registry_home):
    ident = run(_STARTED_AND_LEFT, "", "at once").strip()
    wait_until(lambda: not (registry.root() / ident).exists() or registry.prune(), 30)
    wait_until(lambda: ident not in str([agent.info for agent in agents_of(registry_home)]))


_KILLED_IN_NATIVE_CODE = """
    import ctypes, os, signal, time, pilot_kernel
    session = pilot_kernel.Session()
    def hold():
        print("begun", flush=True)
        ctypes.PyDLL(None).sleep(300)  # keeps the interpreter lock
    task = session.submit(hold)
    while "begun" not in task.output.text():
        time.sleep(0.01)
    print(session._link.entry.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_session_without_a_name_ends_with_its_process_whatever_it_runs(registry_home):
    ident = run(_KILLED_IN_NATIVE_CODE).strip()
    entry = registry.read(registry.root() / ident)
    family = []
    if entry is not None and entry.alive():
        with contextlib.suppress(psutil.NoSuchProcess):  # it goes right now
            family = [psutil.Process(entry.pid)]
            family += family[0].children(recursive=True)
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_S)
    assert not alive
    wait_until(lambda: not (registry.root() / ident).exists())


def test_whoever_comes_next_tidies_up_after_a_massacre(registry_home):
    victim = pilot_kernel.Session("victim", idle_timeout_s=60)
    assert victim.submit(bytes, 10**6).result(60) == bytes(10**6)
    entry = victim._link.entry
    kill_family(entry)
    assert len(left_of(entry)) > 2  # both folders, and semaphores of Dask's nannies
    victim.detach()
    with pilot_kernel.Session("next", idle_timeout_s=60):
        assert left_of(entry) == []


@pytest.mark.parametrize(
    ("victims", "delay_s"), [("agent", 0.6), ("notebook", 0.9), ("both", 1.2), ("agent", 1.8)]
)
def test_nothing_is_left_of_who_was_killed_at_some_moment(home, victims, delay_s, temporary):
    program = """
        import sys, pilot_kernel
        session = pilot_kernel.session(sys.argv[1], idle_timeout_s=60)
        assert session.submit(pow, 2, 5).result(60) == 32
        session.close()
    """
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", textwrap.dedent(program), "killed"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as notebook:
        time.sleep(delay_s)  # of the start, the work, or the end, as fast as the machine is
        if victims != "notebook":
            for agent in agents_of(home):
                with contextlib.suppress(psutil.NoSuchProcess):  # it has left by itself
                    agent.kill()
        if victims != "agent":
            notebook.kill()
        notebook.wait(60)
    run(program, "killed", env=environment)
    assert [each.name for each in home.glob("agent-*")] == []
    assert list(temporary.iterdir()) == []


def test_a_pilot_whose_worker_is_stuck_as_it_starts_can_be_stopped(registry_home):
    with pilot_kernel.Session() as session:
        assert session.submit(pow, 2, 5).result(60) == 32
        agent = psutil.Process(session._link.entry.pid)
        before = set(family(agent)["workers"])
        pilot = session.add_pilot("local://", name="stuck", cores_per_node=1)
        wait_until(lambda: set(family(agent)["workers"]) - before)
        (worker,) = set(family(agent)["workers"]) - before
        worker.suspend()
        pilot.stop()
        assert [each.name for each in session.pilots] == ["local"]
        assert not worker.is_running()
        again = session.add_pilot("local://", name="again", cores_per_node=1)
        assert session.submit(pow, 2, 5, on="again").result(60) == 32
        again.stop()


# ---- the registry


def test_an_unreadable_entry_is_passed_over_and_its_folder_goes_when_it_is_old(home):
    folders = {name: home / f"agent-{name}" for name in ("fresh", "cut", "old", "used")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "agent.log").touch()
    (folders["cut"] / "agent.json").write_text('{"id": "agent-c')
    for name in ("cut", "old", "used"):
        os.utime(folders[name], (1, 1))
    command = [sys.executable, "-c", "input()", str(folders["used"])]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as user:
        assert registry.entries() == []
        assert registry.find("agent-cut") is None
        registry.prune()
        user.communicate(b"\n")
    assert sorted(path.name for path in home.glob("agent-*")) == ["agent-fresh", "agent-used"]


def test_reaping_an_agent_that_is_being_started_spares_who_starts_it(home):
    entry, _ = registry.claim("begun", 60.0)
    assert entry.pid == os.getpid()  # SIGTERM would end this test
    registry.reap(entry)
    assert not left_of(entry)


def test_an_agent_that_somebody_else_starts_and_that_never_comes_is_named(home, monkeypatch):
    monkeypatch.setattr(launch, "_PATIENCE_S", 0.05)
    entry, _ = registry.claim("never", 60.0)
    session = pilot_kernel.Session("never")
    with pytest.raises(AgentStartError, match=rf"{entry.id}.*does not come up"):
        session.submit(pow, 2, 2)
    session.detach()
    registry.forget(entry)


def test_an_agent_that_cannot_start_says_why(home, monkeypatch):
    monkeypatch.setattr("pilot_kernel.sessions.session.AGENT_PLUGINS", ("nonsense:Plugin",))
    session = pilot_kernel.Session(idle_timeout_s=5.0)
    with pytest.raises(AgentStartError, match=r"(?s)exit code 1.*No module named 'nonsense'"):
        session.submit(pow, 2, 2)
    assert list(home.glob("agent-*")) == []


def test_the_dashboard_says_what_it_needs(home, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("bokeh",)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "distributed.dashboard.scheduler", raising=False)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    entry, _ = registry.claim("", 60.0)
    agent = Agent(entry, (entry.pid, entry.started), ())
    with pytest.raises(PilotError, match=r"needs the package 'bokeh'.*pip install bokeh"):
        asyncio.run(agent.dashboard())
    registry.forget(entry)
