"""Pilots inside somebody's Dask cluster: real ones, encrypted and on loopback."""

import contextlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from distributed import Client
from distributed.security import Security

import pilot_kernel
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import credentials
from pilot_kernel.resource.host.protocol import Order
from pilot_kernel.resource.reach import guest_task
from tests.conftest import agents_of, command_line, runs, wait_until
from tests.real.hosts import ROOT

pytestmark = pytest.mark.real

_COMING_S = 60.0
_LIMIT_S = 40.0
_KEYS = {"memory_per_node_bytes": 2 * 10**9}
_CLUSTER = """
    import json, sys, time
    from distributed import LocalCluster
    from distributed.security import Security

    if __name__ == "__main__":
        tls, host, workers = json.loads(sys.argv[1])
        cluster = LocalCluster(
            n_workers=workers, threads_per_worker=2, dashboard_address=None, host=host,
            worker_dashboard_address=None, protocol="tls://" if tls else "tcp://",
            security=Security(require_encryption=True, **tls) if tls else None,
        )
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
        cluster.close()
"""


@contextlib.contextmanager
def _cluster(folder, tls, host="127.0.0.1", workers=2):
    """A cluster of another program; its scheduler's address, and its process."""
    program = folder / "cluster.py"
    program.write_text(textwrap.dedent(_CLUSTER))
    with subprocess.Popen(
        [sys.executable, str(program), json.dumps([tls, host, workers])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=folder,
    ) as process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.stdin.close()
            process.wait(30)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """Credentials of a cluster: the names of files."""
    folder = tmp_path_factory.mktemp("theirs")
    credentials.create(folder)
    cert, key = str(folder / "tls-cert.pem"), str(folder / "tls-key.pem")
    roles = ("client", "scheduler", "worker")
    return {
        "tls_ca_file": cert,
        **{f"tls_{role}_cert": cert for role in roles},
        **{f"tls_{role}_key": key for role in roles},
    }


@pytest.fixture(scope="module")
def theirs(tmp_path_factory, tls):
    """An encrypted cluster: its address, and the URL that joins it."""
    with _cluster(tmp_path_factory.mktemp("tls-cluster"), tls) as (address, process):
        yield address, _url(address, tls), process


def _url(address, tls):
    names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
    return f"dask://{address.partition('://')[2]}?" + "&".join(f"{k}={tls[k]}" for k in names)


@pytest.fixture(scope="module")
def session(registry_home):
    with pilot_kernel.Session() as opened:
        opened.add_pilot("local://", name="near", cores_per_node=1)
        yield opened


def _guests(process):
    """The supervisors that a cluster's workers have started, with their families."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "pilot_kernel.resource.host.process" in child.cmdline():
                found += [child, *child.children(recursive=True)]
    return found


def _own_tasks(address, security=None):
    """What their cluster computes for its own people meanwhile, and the tasks that it has."""
    with Client(address, security=security, set_as_default=False) as client:
        values = client.gather(client.map(pow, range(20), [2] * 20))
        assert values == [k * k for k in range(20)]
        held = client.processing()
        return [key for keys in held.values() for key in keys if str(key).startswith("pilot-")]


def test_our_workers_run_beside_theirs_and_theirs_stay_usable(session, theirs, tls):
    address, url, process = theirs
    pilot = session.add_pilot(url, name="guest", **_KEYS)
    wait_until(lambda: pilot.status.workers == 2, _COMING_S)
    assert pilot.status.note == ""
    pids = {session.submit(os.getpid, on="guest").result(timeout=60) for _ in range(8)}
    family = {each.pid for each in _guests(process)}
    assert pids
    assert pids <= family
    made = [session.submit(pow, 3, k, on="guest") for k in range(10)]
    assert session.submit(lambda *each: sum(each), *made, on="near").result(timeout=60) == sum(
        3**k for k in range(10)
    )
    security = Security(require_encryption=True, **tls)
    assert len(_own_tasks(address, security)) == 2
    pilot.stop()
    wait_until(lambda: not _guests(process))
    assert _own_tasks(address, security) == []


def test_a_supervisor_that_is_killed_there_comes_back_and_loses_nothing(session, theirs):
    _, url, process = theirs
    pilot = session.add_pilot(url, name="again", **_KEYS)
    wait_until(lambda: pilot.status.workers == 2, _COMING_S)
    tasks = [session.submit(_slow_square, k, on="again", retries=0) for k in range(60)]
    wait_until(lambda: sum(task.done() for task in tasks) > 5)
    psutil.Process(_guests(process)[0].pid).kill()
    assert [task.result(timeout=120) for task in tasks] == [k * k for k in range(60)]
    wait_until(lambda: pilot.status.workers == 2, _COMING_S)
    pilot.stop()
    wait_until(lambda: not _guests(process))


def _slow_square(number):
    import time

    time.sleep(0.2)
    return number * number


def test_a_worker_of_theirs_that_dies_takes_nothing_of_ours_along(session, theirs):
    _, url, process = theirs
    pilot = session.add_pilot(url, name="hit", **_KEYS)
    wait_until(lambda: pilot.status.workers == 2, _COMING_S)
    tasks = [session.submit(_slow_square, k, on="hit", retries=0) for k in range(60)]
    wait_until(lambda: sum(task.done() for task in tasks) > 5)
    guest = _guests(process)[0]
    guest.parent().kill()  # their worker; their nanny starts another
    wait_until(lambda: not runs(guest))
    assert [task.result(timeout=120) for task in tasks] == [k * k for k in range(60)]
    wait_until(lambda: pilot.status.workers == 2, _COMING_S)
    pilot.stop()
    wait_until(lambda: not _guests(process))


_CLIENT = """
    import sys, time
    import pilot_kernel
    session = pilot_kernel.Session()
    pilot = session.add_pilot(sys.argv[1], memory_per_node_bytes=2 * 10**9)
    while pilot.status.workers < 2:
        time.sleep(0.1)
    print("up", flush=True)
    time.sleep(600)
"""


def test_a_killed_agent_leaves_nothing_there(theirs, tls, registry_home):
    address, url, process = theirs
    before = {agent.pid for agent in agents_of(Path(registry_home))}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_CLIENT), url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as client:
        try:
            assert client.stdout.readline() == "up\n"
            assert _guests(process)
            agents = [each for each in agents_of(Path(registry_home)) if each.pid not in before]
            for agent in agents:
                agent.kill()
            wait_until(lambda: not _guests(process), _LIMIT_S)
        finally:
            client.kill()
    assert _own_tasks(address, Security(require_encryption=True, **tls)) == []


def test_a_cluster_on_loopback_is_joined_without_sending_credentials(
    session, tmp_path, registry_home
):
    with _cluster(tmp_path, {}) as (address, process):
        file = tmp_path / "scheduler.json"
        file.write_text(json.dumps({"address": address}))
        pilot = session.add_pilot(f"dask://?scheduler_file={file}", name="plain", **_KEYS)
        wait_until(lambda: pilot.status.workers == 2, _COMING_S)
        assert session.submit(pow, 2, 10, on="plain").result(timeout=60) == 1024
        with Client(address, set_as_default=False) as client:
            # Anyone could read that here.
            assert "PRIVATE KEY" not in client.run_on_scheduler(_known)
        pilot.stop()
        wait_until(lambda: not _guests(process))


def _known(dask_scheduler):
    return "".join(repr(task.run_spec) for task in dask_scheduler.tasks.values())


def test_workers_on_another_machine_are_joined_over_an_interface(hosts, tls, tmp_path):
    with _cluster(tmp_path, tls, f"{hosts.subnet}.1", workers=0) as (address, _):
        files = ("--tls-ca-file", tls["tls_ca_file"], "--tls-cert", tls["tls_worker_cert"])
        command = [
            *("nsenter", f"--net=/run/netns/{hosts.namespace(0)}", sys.executable, "-m"),
            *("distributed.cli.dask_worker", address, *files, "--tls-key", tls["tls_worker_key"]),
            *("--no-dashboard", "--nthreads", "1", "--host", hosts.address(0)),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, env=environment, cwd=tmp_path) as worker:
            try:
                with Client(address, security=Security(**tls), set_as_default=False) as client:
                    client.wait_for_workers(1, timeout=_COMING_S)
                theirs = _listening(hosts)
                with pilot_kernel.Session() as own:
                    pilot = own.add_pilot(
                        _url(address, tls), name="there", interface=f"{hosts.tag}br", **_KEYS
                    )
                    wait_until(lambda: pilot.status.workers == 1, _COMING_S)
                    ran_in = own.submit(_network, on="there").result(timeout=60)
                    opened = _listening(hosts) - theirs
                    assert {place.rpartition(":")[0] for place in opened} == {hosts.address(0)}
                assert ran_in == os.stat(f"/run/netns/{hosts.namespace(0)}").st_ino
                supervisor = "pilot_kernel.resource.host.process"
                wait_until(
                    lambda: (
                        not any(
                            supervisor in line for line in map(command_line, hosts.processes(0))
                        )
                    )
                )
            finally:
                worker.terminate()


def _listening(hosts):
    """The addresses on which anything on the first host listens."""
    return {line.split()[3] for line in hosts.run(0, "ss", "-Hltn").splitlines()}


def _network():
    return os.stat("/proc/self/ns/net").st_ino


def test_a_task_of_ours_that_fails_there_leaves_no_key_in_their_log(theirs, tls):
    address, _, _ = theirs
    order = Order(scheduler="", address="", certificate="", key="very secret", workers=())
    security = Security(require_encryption=True, **tls)
    with Client(address, security=security, set_as_default=False) as client:
        failed = client.submit(guest_task.hold, order, "/no/folder", pure=False)
        assert isinstance(failed.exception(timeout=30), FileNotFoundError)
        logs = repr(client.get_worker_logs())
    assert "Compute Failed" in logs
    assert "very secret" not in logs


def test_a_cluster_that_ends_is_reported(session, tmp_path):
    with _cluster(tmp_path, {}) as (address, _):
        pilot = session.add_pilot(f"dask://{address.partition('://')[2]}", name="brief", **_KEYS)
        wait_until(lambda: pilot.status.workers == 2, _COMING_S)
    wait_until(lambda: pilot.status.workers == 0, _LIMIT_S)
    wait_until(lambda: "Dask cluster" in pilot.status.note, _LIMIT_S)
    pilot.stop()


# ---- what cannot be


def test_other_credentials_are_refused(session, theirs, tmp_path):
    address, _, _ = theirs
    credentials.create(tmp_path)
    cert, key = tmp_path / "tls-cert.pem", tmp_path / "tls-key.pem"
    query = f"tls_ca_file={cert}&tls_client_cert={cert}&tls_client_key={key}"
    with pytest.raises(DescriptionError, match="no connection"):
        session.add_pilot(f"dask://{address.partition('://')[2]}?{query}", **_KEYS)


def test_a_cluster_that_does_not_answer_is_named(session):
    with pytest.raises(DescriptionError, match=r"tcp://127.0.0.1:9: no connection"):
        session.add_pilot("dask://127.0.0.1:9", **_KEYS)


def test_a_folder_that_cannot_be_written_is_named(session, theirs):
    _, url, _ = theirs
    with pytest.raises(DescriptionError, match=r"working_directory: worker .* cannot write there"):
        session.add_pilot(url, working_directory="/proc/nowhere", **_KEYS)
