"""Pilots over SSH, with real servers in networks of their own: work, faults, and what is left."""

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.pilot import PilotState
from tests.conftest import agents_of, command_line, runs, wait_until
from tests.real.hosts import ROOT

pytestmark = pytest.mark.real

_KEYS = {"cores_per_node": 1, "memory_per_node_bytes": 2 * 10**9}
_COMING_S = 90.0
_LIMIT_S = 40.0


@pytest.fixture(scope="module")
def far(hosts, registry_home, tmp_path_factory):
    """A session with a pilot on three hosts, one worker each, and a local one."""
    place = tmp_path_factory.mktemp("place")
    with pilot_kernel.Session() as opened:
        pilot = opened.add_pilot(
            hosts.url(0, 1, 2), name="far", working_directory=str(place), **_KEYS
        )
        near = opened.add_pilot("local://", name="near", cores_per_node=1)
        wait_until(lambda: pilot.status.workers == 3 and near.status.workers == 1, _COMING_S)
        yield opened
    for number in range(3):
        wait_until(lambda number=number: not hosts.processes(number))
    assert list(place.iterdir()) == []
    assert _left() == []


def _left():
    """Folders of supervisors that are gone."""
    folders = Path("/tmp").glob("pilot-host-*")
    return [each for each in folders if not psutil.pid_exists(int(each.name.split("-")[3]))]


def _pilot(session, name):
    return next(pilot for pilot in session.pilots if pilot.name == name)


def _network():
    return os.stat("/proc/self/ns/net").st_ino


def _spread(session, count=12):
    """The networks that tasks of the far pilot ran in."""
    return {task.result() for task in [session.submit(_network, on="far") for _ in range(count)]}


def test_tasks_run_on_every_host(far, hosts):
    seen = set()
    wait_until(lambda: len(seen.update(_spread(far)) or seen) == 3)
    assert os.stat("/proc/self/ns/net").st_ino not in seen


def test_results_go_from_host_to_host_and_to_this_machine(far):
    """Large ones, so that they are fetched, from every worker by every other."""

    def make(number):
        time.sleep(0.2)
        return np.full(300_000, float(number))

    made = [far.submit(make, number, on="far") for number in range(6)]
    made += [far.submit(make, number, on="near") for number in range(6, 8)]
    sums = [far.submit(_total, *made, on=on) for on in ("far",) * 6 + ("near",) * 2]
    assert [task.result(timeout=60) for task in sums] == [300_000.0 * 28] * 8


def _far_and_near(session, far):
    """What a sum is of arrays of a pilot and of a local one, taken there and here."""
    made = [session.submit(np.full, 300_000, 1.0, on=on) for on in (far, "near", far, "near")]
    sums = [session.submit(_total, *made, on=on) for on in (far, "near", far)]
    return [task.result(timeout=60) for task in sums]


def _total(*arrays):
    return float(sum(array.sum() for array in arrays))


def test_this_machine_may_be_a_host_as_well(far, hosts):
    """It has no loopback interface of its own, so nothing is forwarded."""
    with hosts.serve_here():
        pilot = far.add_pilot(hosts.here, name="here", **_KEYS)
        wait_until(lambda: pilot.status.workers == 1, _COMING_S)
        assert _far_and_near(far, "here") == [1_200_000.0] * 3
        assert _far_and_near(far, "far") == [1_200_000.0] * 3
        pilot.stop()


def test_of_two_pilots_on_one_host_either_may_go(far, hosts):
    first, second = (far.add_pilot(hosts.url(3), name=name, **_KEYS) for name in ("p1", "p2"))
    wait_until(lambda: first.status.workers + second.status.workers == 2, _COMING_S)
    assert _far_and_near(far, "p2") == [1_200_000.0] * 3
    first.stop()
    assert _far_and_near(far, "p2") == [1_200_000.0] * 3
    again = far.add_pilot(hosts.url(3), name="p3", **_KEYS)
    wait_until(lambda: again.status.workers == 1, _COMING_S)
    second.stop()
    assert _far_and_near(far, "p3") == [1_200_000.0] * 3
    again.stop()
    wait_until(lambda: not hosts.processes(3), _LIMIT_S)


def test_nothing_listens_but_on_loopback(far, hosts):
    for number in range(3):
        listening = hosts.run(number, "ss", "-Hltn").splitlines()
        places = {line.split()[3].rpartition(":")[0] for line in listening}
        assert places == {"127.0.0.1", hosts.address(number)}
        outside = [line for line in listening if hosts.address(number) in line]
        assert len(outside) == 1  # the SSH server


def test_no_key_is_in_a_command_line_or_an_environment(far, hosts):
    folder = far._link.entry.directory
    secret = folder.joinpath("tls-key.pem").read_text().splitlines()[3]
    logs = list(folder.glob("logs/far-*.log"))
    assert len(logs) == 3
    for path in (*logs, folder / "agent.log"):
        assert secret not in path.read_text()
    for number in range(3):
        for process in hosts.processes(number):
            with contextlib.suppress(psutil.NoSuchProcess):
                assert secret not in " ".join(process.cmdline())
                assert secret not in str(process.environ())


def test_files_on_a_host_are_closed_to_others(far, hosts):
    folders = list(Path("/tmp").glob("pilot-host-*"))
    assert len(folders) >= 3
    for folder in folders:
        tried = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", str(folder)],
            capture_output=True,
        )
        assert tried.returncode != 0
        with contextlib.suppress(FileNotFoundError):  # its supervisor was cut off, and ends now
            assert folder.stat().st_mode & 0o077 == 0
            for key in folder.glob("*.pem"):
                assert key.stat().st_mode & 0o077 == 0


def test_a_worker_that_dies_there_is_replaced(far, hosts):
    pilot = _pilot(far, "far")
    killed = {}

    def kill_a_worker():
        for process in hosts.processes(1):
            with contextlib.suppress(psutil.Error):
                if any("forkserver" in word for word in process.parent().cmdline()):
                    process.kill()
                    killed[process.pid] = True
                    return True
        return False

    wait_until(kill_a_worker)
    assert killed
    results = [far.submit(pow, 2, k, on="far") for k in range(30)]
    assert [task.result(timeout=60) for task in results] == [2**k for k in range(30)]
    wait_until(lambda: pilot.status.workers == 3, _COMING_S)


def test_a_host_that_is_cut_off_is_reported_and_comes_back(far, hosts):
    """200 tasks, the link down while they run: all results right, nobody blamed."""
    pilot = _pilot(far, "far")
    wait_until(lambda: pilot.status.workers == 3, _COMING_S)

    def work(number):
        time.sleep(0.3)
        return number * number

    tasks = [far.submit(work, number, retries=0) for number in range(200)]
    wait_until(lambda: sum(task.done() for task in tasks) > 20)
    hosts.cut(2)
    try:
        assert [task.result(timeout=180) for task in tasks] == [n * n for n in range(200)]
        wait_until(lambda: pilot.status.workers == 2, _LIMIT_S)
        wait_until(lambda: hosts.names[2] in pilot.status.note, _LIMIT_S)
        assert pilot.state is PilotState.ACTIVE
        wait_until(lambda: not _supervised(hosts, 2), _LIMIT_S)
    finally:
        hosts.mend(2)
    wait_until(lambda: pilot.status.workers == 3, _COMING_S)
    assert pilot.status.note == ""
    mended = os.stat(f"/run/netns/{hosts.namespace(2)}").st_ino
    wait_until(lambda: mended in _spread(far))


def _supervised(hosts, number):
    """What runs on a host, but for SSH servers that have a connection."""
    lines = map(command_line, hosts.processes(number))
    return [words for words in lines if words and not Path(words[0]).name.startswith("sshd")]


def test_a_cut_link_does_not_hold_up_the_end_of_a_pilot(far, hosts):
    pilot = far.add_pilot(hosts.url(0), name="brief", **_KEYS)
    wait_until(lambda: pilot.status.workers == 1, _COMING_S)
    hosts.cut(0)
    try:
        begun = time.monotonic()
        pilot.stop()
        print(f"stopped after {time.monotonic() - begun:.1f} s")
    finally:
        hosts.mend(0)
    assert "brief" not in [each.name for each in far.pilots]


_CLIENT = """
    import sys, time
    import pilot_kernel
    session = pilot_kernel.Session({name!r}, idle_timeout_s={idle})
    pilot = session.add_pilot({url!r}, cores_per_node=1, memory_per_node_bytes=2 * 10**9)
    while pilot.status.workers < {workers}:
        time.sleep(0.1)
    tasks = [session.submit(time.sleep, {sleep}) for _ in range({workers})]
    print("up", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def _client(**values):
    """Another program with a session of its own."""
    script = textwrap.dedent(_CLIENT.format(**values))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    before = {agent.pid for agent in agents_of(Path(os.environ["PILOT_KERNEL_HOME"]))}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout.readline() == "up\n"
            home = Path(os.environ["PILOT_KERNEL_HOME"])
            (agent,) = (each for each in agents_of(home) if each.pid not in before)
            yield process, agent
        finally:
            process.kill()


@pytest.fixture
def lone(hosts):
    """The number of a host on which nothing runs, and what tells whether something does."""
    assert not hosts.processes(3)
    return 3, lambda: hosts.processes(3)


def test_a_killed_agent_leaves_nothing_on_a_host(hosts, lone, registry_home):
    number, there = lone
    url = hosts.url(number)
    with _client(name="", idle=10, url=url, workers=1, sleep=100) as (_, agent):
        assert there()
        agent.kill()
        wait_until(lambda: not there(), _LIMIT_S)


def test_a_killed_agent_leaves_nothing_on_a_host_that_is_cut_off(hosts, lone, registry_home):
    number, there = lone
    url = hosts.url(number)
    with _client(name="", idle=10, url=url, workers=1, sleep=100) as (_, agent):
        tunnels = [each for each in agent.children() if each.name() == "ssh"]
        assert tunnels
        hosts.cut(number)
        try:
            agent.kill()
            wait_until(lambda: not there(), _LIMIT_S)
            wait_until(lambda: not any(map(runs, tunnels)), _LIMIT_S)
        finally:
            hosts.mend(number)


def test_a_killed_client_leaves_nothing_after_the_idle_time(hosts, lone, registry_home):
    number, there = lone
    url = hosts.url(number)
    with _client(name="idle-b", idle=2, url=url, workers=1, sleep=1) as (client, agent):
        client.kill()
        wait_until(lambda: not there(), _LIMIT_S)
        wait_until(lambda: not runs(agent), _LIMIT_S)


def test_a_killed_supervisor_leaves_nothing_and_comes_back(far, hosts):
    pilot = _pilot(far, "far")
    wait_until(lambda: pilot.status.workers == 3, _COMING_S)

    def supervisors():
        line = "pilot_kernel.resource.host.process"
        return [each for each in hosts.processes(0) if line in command_line(each)]

    # One that lost its line in the test before may still be waiting for it, and what is being
    # started has its parent's command line for a moment.
    found = []
    wait_until(lambda: found.append(supervisors()) or len(found[-1]) == 1, _LIMIT_S)
    (first,) = found[-1]
    family = first.children(recursive=True)
    first.kill()
    wait_until(lambda: not any(map(runs, family)), _LIMIT_S)
    wait_until(lambda: pilot.status.workers == 3 and supervisors(), _COMING_S)
    assert not [each for each in _left() if f"-{first.pid}-" in each.name]


# ---- what cannot be


@pytest.fixture(scope="module")
def plain(hosts, registry_home):  # the agent looks for ssh on the path that it is given
    with pilot_kernel.Session() as opened:
        yield opened


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"resource": "ssh://no-such-host.invalid"}, "no host of that name is known"),
        ({"resource": "ssh://{subnet}.222"}, "no route to it|does not answer"),
        ({"resource": "ssh://{name}:9"}, "no SSH server listens there"),
        ({"resource": "ssh://nobody@{name}"}, "it refused your key"),
        ({"resource": "ssh://{name}?python=/no/python"}, "no Python .*tried /no/python"),
        ({"resource": "ssh://{name}?python=/usr/bin/python3"}, "has no pilot_kernel"),
        ({"working_directory": "/proc/nowhere"}, "working_directory: .* cannot keep files"),
        ({"gpus_per_node": 99}, "gpus_per_node=99, but host"),
        ({"cores_per_node": 10**6}, "more than 256 processes"),
    ],
)
def test_a_host_that_cannot_be_used_is_named_at_once(plain, hosts, change, complaint):
    words = {"name": hosts.names[0], "subnet": hosts.subnet}
    keys = {"resource": "ssh://{name}", **_KEYS, **change}
    keys["resource"] = keys["resource"].format(**words)
    if "python=/usr" in keys["resource"]:  # where the hosts' PYTHONPATH does not help
        keys["scheduler_script_commands"] = ["unset PYTHONPATH"]
    before = len(plain.pilots)
    with pytest.raises(DescriptionError, match=complaint):
        plain.add_pilot(description=keys.pop("resource"), **keys)
    assert len(plain.pilots) == before


def test_an_unknown_and_a_changed_host_key_are_named(plain, hosts):
    known = hosts.folder / "known_hosts"
    good = known.read_text()
    url = hosts.url(0)
    try:
        known.write_text("")
        with pytest.raises(DescriptionError, match="host key is not known here"):
            plain.add_pilot(url, **_KEYS)
        other = (hosts.folder / "user.pub").read_text().split()[1]
        known.write_text(good.replace(good.split()[2], other))
        with pytest.raises(DescriptionError, match=r"not the one that is known .*known_hosts"):
            plain.add_pilot(url, **_KEYS)
    finally:
        known.write_text(good)


def test_other_versions_are_named_on_both_sides(plain, hosts, tmp_path):
    """A Python there that finds an older Dask, by its metadata, than there is here."""
    info = tmp_path / "distributed-2020.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: distributed\nVersion: 2020.1.0\n")
    with pytest.raises(DescriptionError, match=r"distributed is 20\S+ here and 2020.1.0 there"):
        plain.add_pilot(
            hosts.url(0),
            scheduler_script_commands=[f"export PYTHONPATH={tmp_path}:$PYTHONPATH"],
            **_KEYS,
        )


@pytest.mark.parametrize(
    "option", [{"AllowTcpForwarding": "no"}, {"GatewayPorts": "yes"}], ids=lambda each: str(*each)
)
def test_a_server_that_forwards_nothing_or_to_everybody_is_named(plain, hosts, option):
    hosts.stop(1)
    hosts.serve(1, **option)
    try:
        pilot = plain.add_pilot(hosts.url(1), **_KEYS)
        wait_until(lambda: next(iter(option)) in pilot.status.note, _LIMIT_S)
        assert pilot.status.workers == 0
        pilot.stop()
    finally:
        hosts.stop(1)
        hosts.serve(1)


def test_a_network_interface_and_ssh_do_not_go_together(plain, hosts):
    pilot = plain.add_pilot(hosts.url(0), **_KEYS)
    wait_until(lambda: pilot.status.workers == 1, _COMING_S)
    with pytest.raises(DescriptionError, match="workers that are reached over SSH"):
        plain._call("pilot_add", description={"interface": f"{hosts.tag}br"})
    pilot.stop()
    assert plain.submit(pow, 2, 5).result(timeout=60) == 32
