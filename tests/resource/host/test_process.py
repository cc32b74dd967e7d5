"""The supervisor as a real process on this machine: it does as ordered, and leaves nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
from distributed import Client, Scheduler

from pilot_kernel.resource import credentials
from pilot_kernel.resource.host.protocol import MARK, Order, WorkerOrder, tell
from tests.conftest import runs, wait_until


@contextmanager
def supervisor():
    """One, with what it said first, a way to tell it something, and one to hear the next word."""
    with subprocess.Popen(
        [sys.executable, "-m", "pilot_kernel.resource.host.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:

        def hear():
            line = process.stdout.readline().decode()
            assert line.startswith(MARK)
            return json.loads(line[len(MARK) :])

        def say(**what):
            process.stdin.write(tell(**what))
            process.stdin.flush()

        try:
            yield process, hear, say
        finally:
            process.kill()


def _order(security, scheduler, port=0):
    worker = WorkerOrder(
        name="far-0", resources={"CPU": 1, "cores": 1}, memory_bytes=2 * 10**9, port=port
    )
    return Order(
        scheduler=scheduler,
        address="127.0.0.1",
        certificate=Path(security.tls_worker_cert).read_text(),
        key=Path(security.tls_worker_key).read_text(),
        workers=(worker,),
    )


def test_it_says_what_it_is_and_answers():
    with supervisor() as (process, hear, say):
        assert hear()["hello"]["pid"] == process.pid
        say(beat=7)
        assert hear() == {"beat": 7}
        say(look="/proc/nowhere")
        assert "unwritable" in hear()
        say(look=None)
        assert hear()["looked"]["cores"] >= 1
        process.stdin.close()
        assert process.wait(20) == 0


def test_it_brings_up_workers_and_ends_them_when_the_line_ends(tmp_path):
    asyncio.run(_bring_up(tmp_path, lambda process: process.stdin.close()))


def test_a_signal_ends_it_as_well(tmp_path):
    asyncio.run(_bring_up(tmp_path, lambda process: process.send_signal(signal.SIGTERM)))


async def _bring_up(tmp_path, end):
    security = credentials.create(tmp_path)
    options = {"host": "127.0.0.1", "port": 0, "protocol": "tls://", "dashboard": False}
    async with Scheduler(security=security, dashboard_address="127.0.0.1:0", **options) as there:
        with supervisor() as (process, hear, say):
            hear()
            say(order=_order(security, there.address).plain())
            assert hear() == {"taken": 1}
            async with Client(there.address, security=security, asynchronous=True) as client:
                await client.wait_for_workers(1, timeout=60)
                assert await client.submit(pow, 2, 5, resources={"CPU": 1}) == 32
            family = psutil.Process(process.pid).children(recursive=True)
            mine = f"-{process.pid}-"
            (folder,) = [each for each in Path("/tmp").glob("pilot-host-*") if mine in each.name]
            assert folder.stat().st_mode & 0o077 == 0
            assert all(key.stat().st_mode & 0o077 == 0 for key in folder.glob("*.pem"))
            end(process)
            await asyncio.to_thread(process.wait, 20)
            wait_until(lambda: not any(map(runs, family)))
            assert not folder.exists()
            assert not list(Path("/dev/shm").glob(f"sem.{folder.name}*"))


def test_a_port_that_is_taken_is_told(tmp_path):
    import socket

    security = credentials.create(tmp_path)
    with socket.socket() as taken, supervisor() as (_, hear, say):
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        hear()
        say(order=_order(security, "tls://127.0.0.1:1", port).plain())
        assert hear() == {"busy": [port]}


def test_an_order_does_not_show_its_key(tmp_path):
    order = _order(credentials.create(tmp_path), "tls://127.0.0.1:1")
    assert "PRIVATE" in order.key
    assert "PRIVATE" not in repr(order)
    assert Order.of(json.loads(json.dumps(order.plain()))) == order


def test_nonsense_ends_it():
    with supervisor() as (process, hear, _):
        hear()
        process.stdin.write(b"nonsense\n")
        process.stdin.flush()
        assert process.wait(20) == 0


def test_a_folder_is_swept_when_its_supervisor_is_gone(tmp_path, monkeypatch):
    from pilot_kernel.resource.host import private_folder

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = private_folder.create()
    gone = Path(str(mine).replace(f"-{os.getpid()}-", "-999999999-"))
    gone.mkdir()
    private_folder.sweep(mine.parent)
    assert mine.exists()
    assert not gone.exists()
    private_folder.remove(mine)
