"""What all tests share: a registry of their own, one session, and a check that nothing is left."""

import contextlib
import gc
import os
import sys
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

import pilot_kernel
from pilot_kernel.resource.connection import link
from pilot_kernel.task.process import preload

# Several tests run at once, and OpenBLAS's threads would wait for each other while they spin. It
# reads this as NumPy is loaded: in the processes that pytest-xdist and tests start from this one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# nbformat's validator would read a grammar of addresses as it is imported, which takes seconds.
sys.modules.setdefault("rfc3987_syntax", None)

settings.register_profile("untimed", deadline=None)  # the machine may be busy
settings.load_profile("untimed")

PATIENCE_S = 20.0
"""For what takes a moment: generous, since the machine may be busy."""


def pytest_addoption(parser):
    parser.addoption(
        "--chaos-minutes",
        type=float,
        default=5.0,
        help="how long workers, nodes, links and pilots are killed and added in tests/real",
    )


def pytest_collection_finish(session):
    """What is imported by now stays: it is not to be searched for garbage again and again."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its agents and their workers have logged meanwhile."""
    report = yield
    if report.when == "call" and report.failed and "PILOT_KERNEL_HOME" in os.environ:
        logs = Path(os.environ["PILOT_KERNEL_HOME"]).glob("agent-*/**/*.log")
        with contextlib.suppress(FileNotFoundError):  # an agent leaves, and its logs with it
            for log in (log for log in logs if log.stat().st_mtime >= call.start):
                text = log.read_text(errors="replace")[-4000:]
                report.sections.append((f"{log.parent.name}/{log.name}", text))
    return report


@pytest.fixture(scope="session", autouse=True)
def registry_home(tmp_path_factory):
    """Keep the tests' agents apart from the user's, and see that none stays.

    Their many short-lived processes load nothing ahead of what they are asked for.
    """
    os.environ.setdefault(preload.WANTED, "0")
    with _registry(tmp_path_factory.mktemp("registry")) as home:
        yield home


@pytest.fixture
def no_neighbours(registry_home, tmp_path_factory):
    """A registry without other sessions, of which the agent would tell news at any time."""
    with _registry(tmp_path_factory.mktemp("registry")) as home:
        yield home


@contextlib.contextmanager
def _registry(home):
    """Have agents in that folder for a while, and see that none stays."""
    before = os.environ.get("PILOT_KERNEL_HOME")
    os.environ["PILOT_KERNEL_HOME"] = str(home)
    yield home
    _, left = psutil.wait_procs(agents_of(home), PATIENCE_S)  # some may be about to leave
    for agent in link._children:
        agent.poll()  # else Python says at its end that they were still running
    if before is None:
        del os.environ["PILOT_KERNEL_HOME"]
    else:
        os.environ["PILOT_KERNEL_HOME"] = before
    told = [log.read_text(errors="replace")[-4000:] for log in home.glob("agent-*/agent.log")]
    assert not left, "\n".join([f"agents left behind: {left}", *told])


@pytest.fixture(scope="session")
def session(registry_home):
    """One session with two local workers, for tests that do it no harm."""
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", cores_per_node=2)
        yield opened


@pytest.fixture
def lone_worker(session):
    """The name of a pilot of that session with one worker, which nobody else uses."""
    pilot = session.add_pilot("local://", cores_per_node=1, cores_per_worker=1, name="one")
    wait_until(lambda: pilot.status.workers == 1)
    yield pilot.name
    pilot.stop()


@pytest.fixture
def steady_planning(monkeypatch):
    """Planning takes a millisecond, whatever else this machine does meanwhile."""
    for home in ("exact.case", "sampled.case", "uncut.case"):
        monkeypatch.setattr(
            f"qdreamer_lab.dreamer.{home}.timed_twice", lambda function: (function(), 1e-3)
        )


@pytest.fixture
def forgetful(tmp_path_factory, monkeypatch):
    """What runs teach of this machine's speed is forgotten, and nothing is known of it before."""
    kept = str(tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: kept)


def agents_of(home: Path) -> list[psutil.Process]:
    """The agent processes whose folder lies in `home`.

    What an agent forks has its command line; it counts where its agent has gone.
    """
    found = {}
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or []
        if "pilot_kernel.resource.agent.process" in line and any(
            str(home) in word for word in line
        ):
            found[process.pid] = process
    return [each for each in found.values() if each.info["ppid"] not in found]


def wait_until(condition, timeout_s: float = 30.0) -> None:
    """Poll until `condition()` holds; fail if it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.02)


def runs(process: psutil.Process) -> bool:
    """Whether a process is there and has not ended, also if it ends amid the question."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_line(process: psutil.Process) -> list[str]:
    """The words that a process was started with; none if it ends amid the question."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def worker_pids(session) -> dict[str, int]:
    """The process ids of a session's Dask workers, by name; tasks run in processes of their own.

    The agent tells: asking workers would mean to wait for those that have just been killed.
    """

    def pids(dask_scheduler):
        return {ws.name: ws.pid for ws in dask_scheduler.workers.values()}

    found: dict[str, int] = session._link.client.run_on_scheduler(pids)
    return found
