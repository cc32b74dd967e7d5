"""Local workers when the session begins to listen on another address, with real processes."""

import os
import socket
import time
from pathlib import Path

import psutil
import pytest

import pilot_kernel
from tests.conftest import PATIENCE_S, wait_until

LARGE = 300_000


def other_interface():
    """A network interface of this machine other than loopback, with an IPv4 address."""
    up = psutil.net_if_stats()
    for name, addresses in psutil.net_if_addrs().items():
        here = [each.address for each in addresses if each.family == socket.AF_INET]
        if here and up[name].isup and not here[0].startswith("127."):
            return name, here[0]
    return None


@pytest.fixture
def interface():
    found = other_interface()
    if found is None:
        pytest.skip("this machine has no network interface with an IPv4 address but loopback")
    return found


async def listen(interface, dask_scheduler):
    """What adding a pilot does that names the interface."""
    from pilot_kernel.resource.description import PilotDescription

    roster = dask_scheduler.handlers["pilot_scale"].__wrapped__.__self__
    await roster._listen(PilotDescription(interface=interface))


def names_and_addresses(dask_scheduler):
    """What the scheduler knows of its workers: a worker that is just leaving need not answer."""
    return {each.name: address for address, each in dask_scheduler.workers.items()}


def hosts(session):
    """On which addresses workers listen, by name."""
    found = session._link.client.run_on_scheduler(names_and_addresses)
    return {name: address.split("//")[1].split(":")[0] for name, address in found.items()}


def hold_up(gate, dask_scheduler):
    """Have the agent not hear that workers have started, although they are up, before a file is."""
    import asyncio

    from distributed.nanny import WorkerProcess

    hear = WorkerProcess._wait_until_connected

    async def held(self, *args):
        message = await hear(self, *args)
        while not Path(gate).exists():
            await asyncio.sleep(0.01)
        return message

    WorkerProcess._wait_until_connected = held


def test_workers_that_are_still_starting_are_replaced_as_well(registry_home, interface, tmp_path):
    """One may be up and at work while the agent waits for the other."""
    name, host = interface
    gate = tmp_path / "gate"
    with pilot_kernel.Session() as session:
        session._link.client.run_on_scheduler(hold_up, str(gate))
        pilot = session.add_pilot("local://", cores_per_node=2, name="here")
        assert session.submit(pow, 2, 5).result(PATIENCE_S) == 32
        session._link.client.run_on_scheduler(listen, name)
        gate.touch()
        wait_until(lambda: set(hosts(session).values()) == {host})
        assert session.submit(pow, 2, 6).result(PATIENCE_S) == 64
        wait_until(lambda: (pilot.status.workers, pilot.status.wanted) == (2, 2))
        assert not any(record.deaths for record in session.history())


def wait_for(path, gate):
    with Path(path).open("a") as file:
        file.write("x")
    while not Path(gate).exists():
        time.sleep(0.01)
    return os.urandom(LARGE)


def test_workers_on_loopback_are_replaced_and_nothing_is_lost(registry_home, interface, tmp_path):
    name, host = interface
    gate, path = tmp_path / "gate", tmp_path / "path"
    with pilot_kernel.Session() as session:
        pilot = session.add_pilot("local://", cores_per_node=2, name="here")
        small, large = session.submit(pow, 2, 5), session.submit(bytes, LARGE)
        assert (small.result(60), len(large.result(60))) == (32, LARGE)
        runs = session.submit(wait_for, str(path), str(gate))
        wait_until(path.exists)
        session._link.client.run_on_scheduler(listen, name)
        wait_until(lambda: sum(each == host for each in hosts(session).values()) == 2)
        # What runs is let end; all else is on the new workers.
        wait_until(lambda: list(hosts(session).values()).count("127.0.0.1") == 1)
        more = [session.submit(lambda *parts: len(parts[1]), small, large) for _ in range(20)]
        assert [task.result(60) for task in more] == [LARGE] * 20
        assert {task.record.worker for task in more} <= {"here-2", "here-3"}
        assert (pilot.status.workers, pilot.status.wanted) == (2, 2)
        gate.touch()
        joined = session.submit(len, runs)
        assert (len(runs.result(60)), joined.result(60)) == (LARGE, LARGE)
        wait_until(lambda: set(hosts(session).values()) == {host})
        assert path.read_text() == "x"
        assert session.submit(len, large).result(60) == LARGE
        assert not any(record.deaths for record in session.history())
        pilot.scale(3)
        wait_until(lambda: pilot.status.workers == 3)
        assert set(hosts(session).values()) == {host}
