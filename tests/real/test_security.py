"""A session seen by somebody else on the same machine: what can be read, and what lets in."""

import asyncio
import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

import pilot_kernel
from pilot_kernel.__main__ import main
from pilot_kernel.resource import credentials
from pilot_kernel.resource.connection.client import AgentClient
from tests.conftest import wait_until
from tests.jupyter.executed_notebook import execute
from tests.real import lab, watched
from tests.real.second_user import Attempt, try_all

pytestmark = pytest.mark.real

LARGE = 1_000_000  # float64: kept in a file of the session


@pytest.fixture(scope="module", autouse=True)
def root():
    if os.geteuid() != 0:
        pytest.skip("needs root, to become a second user")


@pytest.fixture(scope="module")
def open_folder():
    """A folder in which everybody may walk; pytest's own are closed, and would hide a lot."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-seen-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def used(open_folder):
    """A session with its registry and its workers' files in that folder, and work under way."""
    work = open_folder / "work"
    work.mkdir(mode=0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOT_KERNEL_HOME", str(open_folder / "home"))
        with pilot_kernel.Session() as session:
            session.add_pilot("local://", cores_per_node=2)
            session.add_pilot(
                "local://", name="elsewhere", cores_per_node=1, working_directory=str(work)
            )
            session.add_pilot("qpu://fake_manila")
            kept = [session.submit(np.ones, LARGE, on=on) for on in ("cpu", "elsewhere")]
            assert [task.result(60).sum() for task in kept] == [LARGE, LARGE]
            gate = open_folder / "gate"
            running = session.submit(_wait_for, str(gate))
            wait_until(running.running)
            wait_until(lambda: all(p.workers == p.wanted for p in session.pilot_statuses()))
            yield session
            gate.touch()
            assert running.result(30) is None


def _wait_for(path):
    """Print, have a file open in the worker's folder, and wait."""
    import time

    print("something private", flush=True)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"something private")
        while not os.path.exists(path):
            time.sleep(0.02)


def test_another_user_can_neither_read_nor_write_nor_list_anything(used, open_folder):
    paths = watched.files_of(used, open_folder / "work")
    for part in ("tls-key.pem", "agent.log", "agent.json", "/nursery", "/results/", "/storage"):
        assert any(part in path for path in paths), f"{part} is not among {paths}"
    tried = try_all(Attempt(paths))
    # The folder that the user named is the user's own business: names of folders show there, and
    # empty files that Dask locks. What lies in those folders does not.
    work = open_folder / "work"
    shown = {str(work), str(work / "dask-scratch-space"), *map(str, work.glob("*/*lock"))}
    lines = [line.partition(":")[0].split(" ", 1) for line in tried.files]
    assert [line for line in lines if line[1] not in shown] == []
    assert [what for what, path in lines if what not in ("read", "list")] == []
    assert all(os.path.getsize(path) == 0 for path in shown if path.endswith("lock"))
    assert tried.count == len(paths)
    assert not watched.open_to_others(paths)


def test_the_same_attempt_gets_at_all_of_it_as_the_owner(used, open_folder):
    entry = used._link.entry
    tried = try_all(Attempt([str(entry.directory / "tls-key.pem"), entry.scratch]), uid=None)
    assert f"read {entry.directory / 'tls-key.pem'}" in tried.files
    assert any(line.startswith(f"list {entry.scratch}") for line in tried.files)
    os.rmdir(Path(entry.scratch, "made-by-another"))


def test_all_that_listens_does_so_on_loopback(used):
    places = watched.listening(watched.processes_of(used))
    assert len(places) == 9  # the scheduler, four workers, four nannies
    assert {host for host, _ in places} == {"127.0.0.1"}
    assert not watched.nameless_sockets(watched.processes_of(used))


def test_no_port_lets_another_user_in_in_any_way(used):
    places = watched.listening(watched.processes_of(used))
    assert try_all(Attempt(ports=places)).ports == []


def test_the_same_attempt_is_let_in_with_the_sessions_credentials(used):
    places = watched.listening(watched.processes_of(used))
    attempt = Attempt(ports=places, credentials=str(used._link.entry.directory))
    told = try_all(attempt, uid=None).ports
    assert told == [f"{h}:{p} answers a call with the given credentials" for h, p in places]


def test_a_client_without_the_sessions_certificate_is_refused(used, tmp_path):
    entry = used._link.entry
    tmp_path.chmod(0o700)
    foreign = credentials.create(tmp_path)
    before = used._call("people")
    with pytest.raises(OSError, match="certificate does not match"):
        AgentClient(entry.address, security=foreign, set_as_default=False, timeout=3)
    assert used._call("people") == before


def test_another_user_cannot_signal_or_look_into_the_processes(used):
    pids = [process.pid for process in watched.processes_of(used)]
    inside = [f"/proc/{pid}/{what}" for pid in pids for what in ("environ", "mem", "fd", "cwd")]
    assert try_all(Attempt(inside)).files == []


def test_nothing_that_others_may_see_gives_the_key_away(used):
    entry = used._link.entry
    secrets = watched.secrets_of(entry.directory)
    assert len(secrets) > 10
    assert watched.gives_away(f"x{secrets[3]}y", secrets)
    processes = watched.processes_of(used)
    words = watched.words_of(processes)
    assert len(words) >= 2 * len(processes) - 2
    link = used._link
    shown = {
        "repr of the session": repr(used),
        "repr of the link": f"{link!r} {link.entry!r} {vars(link)!r}",
        "repr of the client": f"{link.client!r} {link.client.security!r}",
        "what a task sees": used.submit(_all_there_is).result(30),
        "what pilots say": repr([pilot.status for pilot in used.pilots]),
        "log": (entry.directory / "agent.log").read_text(),
    }
    assert not [
        what for what, text in {**words, **shown}.items() if watched.gives_away(text, secrets)
    ]


def _all_there_is():
    return repr(dict(os.environ)) + repr(psutil.Process().cmdline())


def test_a_saved_notebook_and_a_traceback_do_not_give_it_away(open_folder, tmp_path, monkeypatch):
    import nbformat

    monkeypatch.setenv("PILOT_KERNEL_HOME", str(open_folder / "home2"))
    prefix = tmp_path / "prefix"
    assert main(["install", "--prefix", str(prefix)]) == 0
    monkeypatch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    path = tmp_path / "seen.ipynb"
    cells = [
        "%pilot",
        "import pilot_kernel; s = pilot_kernel.session(); s",
        "s.submit(pow, 2, 2).result(), s._link, s._link.client, s._link.client.security",
        "vars(s._link)",
        "%tasks",
        "%%ctask\nraise ValueError('so it goes')",
        "%pilot",
        "print('KEY', (s._link.entry.directory / 'tls-key.pem').read_text())",
    ]
    lab.write_notebook(path, cells)
    notebook = nbformat.read(path, 4)
    execute(notebook, allow_errors=True)
    key = notebook.cells.pop()  # which shows that it would have been seen
    secrets = [line for line in key.outputs[0].text.splitlines()[2:-2] if line]
    assert len(secrets) > 10
    assert watched.gives_away(json.dumps(key), secrets)
    text = json.dumps(notebook)
    assert "so it goes" in text
    assert not watched.gives_away(text, secrets)


def test_ports_are_tried_in_ways_that_would_get_through(tmp_path):
    """Servers that are open, each in its own way, are told apart."""
    from distributed import Scheduler
    from distributed.security import Security

    async def told():
        loose = Security.temporary()
        options = {"port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
        async with Scheduler(
            host="127.0.0.1", protocol="tls://", security=loose, **options
        ) as scheduler:
            page = next(iter(scheduler.http_server._sockets.values())).getsockname()[:2]
            return await asyncio.to_thread(try_all, Attempt(ports=[page]))

    with ThreadPoolExecutor(1) as pool:  # a browser's driver keeps a loop in the main thread
        (line,) = pool.submit(asyncio.run, told()).result().ports
    assert "answers without TLS" in line
