"""What a client had sent before it hung up or was killed is found by whoever attaches next."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

import pilot_kernel
from pilot_kernel.resource.agent.unread import hung_up, unread
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import PATIENCE_S, wait_until

LATER = 4  # tasks whose messages the agent has not read when their client dies

KILLED = """
import asyncio, os, signal, sys
import pilot_kernel

async def sent(client, before):
    sender = client.scheduler_comm
    while client._letters or sender.buffer or sender.byte_count == before:
        await asyncio.sleep(0.01)
    while sender.comm.stream.writing():
        await asyncio.sleep(0.01)

session = pilot_kernel.Session("killed", idle_timeout_s=60)
client = session._link.client
print(client.id, flush=True)
sys.stdin.readline()
tasks = []
for number in range(int(sys.argv[1])):
    before = client.scheduler_comm.byte_count  # which grows when a message has been written
    tasks.append(session.submit(pow, 3, number))
    client.sync(sent, client, before)
print(*(task.key for task in tasks), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def line():
    """Both ends of a connection: the agent's as a Dask comm has it, and the other one."""
    server = socket.create_server(("127.0.0.1", 0))
    other = socket.create_connection(server.getsockname())
    mine, _ = server.accept()
    stream = SimpleNamespace(socket=mine, closed=lambda: mine.fileno() < 0)
    yield SimpleNamespace(stream=stream), other
    for each in (server, other, mine):
        each.close()


def test_the_system_knows_of_what_is_unread_and_who_has_gone(line):
    comm, other = line
    assert not hung_up(comm)
    assert not unread(comm)
    other.sendall(b"x" * 10_000)
    wait_until(lambda: unread(comm))
    assert not hung_up(comm)
    other.close()
    wait_until(lambda: hung_up(comm))
    assert unread(comm)
    while comm.stream.socket.recv(4096):
        assert hung_up(comm)
    assert not unread(comm)
    assert hung_up(comm)
    comm.stream.socket.close()
    assert hung_up(comm)
    assert not unread(comm)


def test_one_that_was_reset_has_gone(line):
    comm, other = line
    comm.stream.socket.sendall(b"never read")
    wait_until(lambda: other.recv(1, socket.MSG_PEEK))
    other.close()
    wait_until(lambda: hung_up(comm))


def _read_late(client_id, dask_scheduler):
    """Have the agent read no more of a client until somebody attaches, as on a busy machine."""
    import asyncio

    comm = dask_scheduler.client_comms[client_id].comm
    read, find, asked = comm.read, dask_scheduler.handlers["orphans"], asyncio.Event()

    async def late(*args, **kwargs):
        await asked.wait()
        await asyncio.sleep(0.2)
        return await read(*args, **kwargs)

    async def orphans():
        asked.set()
        return await find()

    comm.read = late
    dask_scheduler.handlers["orphans"] = orphans


def test_tasks_of_a_killed_client_are_found_however_late_the_agent_reads_of_them(registry_home):
    command = [sys.executable, "-c", KILLED, str(LATER)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        pilot_kernel.Session("killed", idle_timeout_s=60) as first,
        subprocess.Popen(command, **pipes) as victim,
    ):
        first.add_pilot("local://", cores_per_node=1)
        # No news for the victim as it dies: with some unread, the system drops what it has sent.
        busy = first.submit(time.sleep, 3600)
        wait_until(lambda: busy.state is TaskState.RUNNING)
        client = victim.stdout.readline().strip()
        first._link.client.run_on_scheduler(_read_late, client)
        victim.stdin.write("\n")
        victim.stdin.close()
        keys = victim.stdout.readline().split()
        assert len(keys) == LATER
        assert victim.wait(PATIENCE_S) == -signal.SIGKILL
        busy.cancel()
        first.submit(pow, 2, 3).result(PATIENCE_S)  # the agent has news for the dead, too
        heir = pilot_kernel.Session("killed")
        found = {task.key: task for task in heir.tasks}
        assert set(keys) <= set(found)
        assert [found[key].result(PATIENCE_S) for key in keys] == [1, 3, 9, 27]
        heir.detach()


def test_who_detaches_waits_until_the_agent_has_read_all(no_neighbours):
    first = pilot_kernel.Session("patient", idle_timeout_s=60)
    first.add_pilot("local://", cores_per_node=1)
    for _ in range(2):  # after which it need not ask about workers
        assert first.submit(pow, 2, 3).result(PATIENCE_S) == 8
    agent = first._link.entry.pid
    os.kill(agent, signal.SIGSTOP)
    try:
        tasks = [first.submit(len, bytes(10_000 + number)) for number in range(60)]
        leaving = threading.Thread(target=first.detach)
        leaving.start()
        leaving.join(0.5)
        assert leaving.is_alive()
    finally:
        os.kill(agent, signal.SIGCONT)
    leaving.join(PATIENCE_S)
    with pilot_kernel.Session("patient") as again:
        assert {task.key for task in tasks} <= {task.key for task in again.tasks}
        assert not again.shared


def test_who_detaches_from_an_agent_that_does_not_read_is_told(registry_home, monkeypatch, caplog):
    monkeypatch.setattr("pilot_kernel.resource.connection.link._FAREWELL_S", 0.2)
    first = pilot_kernel.Session("deaf", idle_timeout_s=60)
    agent = first._link.client and first._link.entry.pid
    os.kill(agent, signal.SIGSTOP)
    try:
        first.detach()
    finally:
        os.kill(agent, signal.SIGCONT)
    assert "has not read" in caplog.text
    pilot_kernel.Session("deaf").close()
