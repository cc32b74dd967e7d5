"""Thousands of submits: sent together, in order, each with its own conditions and value."""

import threading
import time

import pytest

from pilot_kernel.errors import TaskTimeoutError, WorkerDiedError
from pilot_kernel.task.wire.record import TaskState
from tests.conftest import wait_until


class Held:
    """Keeps the thread that sends from sending, and counts what it sends afterwards."""

    def __init__(self, session, monkeypatch):
        self.session = session
        self.client = session._link.client
        self.gate = threading.Event()
        self.sent = []
        send = self.client._send_to_scheduler_safe

        def record(message):
            if message["op"] == "update-graph":
                self.sent.append(len(message["keys"]))
            send(message)

        monkeypatch.setattr(self.client, "_send_to_scheduler_safe", record)

    def __enter__(self):
        self.hold()
        while self.session._pilots._outdated.is_set():  # the first submit would ask that thread
            self.gate.set()
            self.session.pilot_statuses()
            self.hold()
        return self

    def hold(self):
        self.gate, holding = threading.Event(), threading.Event()
        self.client.loop.add_callback(lambda gate: (holding.set(), gate.wait(60)), self.gate)
        assert holding.wait(60)

    def __exit__(self, *_):
        self.gate.set()


def test_what_waits_is_sent_together_and_each_has_its_own_value(session, monkeypatch):
    with Held(session, monkeypatch) as held:
        tasks = [session.submit(pow, number, 2) for number in range(1500)]
    assert [task.result(60) for task in tasks] == [number**2 for number in range(1500)]
    assert held.sent == [1000, 500]


def test_one_alone_is_sent_at_once(session, monkeypatch):
    held = Held(session, monkeypatch)
    for number in range(3):
        assert session.submit(pow, number, 2).result(30) == number**2
    assert held.sent == [1, 1, 1]


def test_conditions_hold_for_each_task_of_a_batch(session, monkeypatch):
    with Held(session, monkeypatch):
        part = session.submit(pow, 2, 3)
        whole = session.submit(lambda *parts: sum(parts), part, session.submit(pow, 2, 4))
        late = session.submit(time.sleep, 60, timeout_s=0.2)
        deadly = session.submit(exit_hard, retries=0)
        here = session.submit(pow, 3, 3, on="local")
        unwanted = session.submit(time.sleep, 60)
        canceling = threading.Thread(target=unwanted.cancel)
        canceling.start()
        wait_until(unwanted.cancelled)
    canceling.join(30)
    assert (whole.result(60), here.result(60)) == (24, 27)
    assert unwanted.cancelled()
    with pytest.raises(TaskTimeoutError):
        late.result(60)
    with pytest.raises(WorkerDiedError):
        deadly.result(60)
    wait_until(lambda: unwanted.record.state is TaskState.CANCELED)


def exit_hard():
    import os

    os._exit(1)


def test_tasks_of_a_batch_begin_in_the_order_of_submission(session, monkeypatch, tmp_path):
    log = tmp_path / "log"
    pilot = session.add_pilot("local://", name="single", cores_per_node=1)
    with Held(session, monkeypatch):
        tasks = [session.submit(append, str(log), n, on="single") for n in range(40)]
    for task in tasks:
        task.result(60)
    pilot.stop()
    assert [int(line) for line in log.read_text().split()] == list(range(40))


def append(log, number):
    with open(log, "a") as file:
        file.write(f"{number}\n")


def test_two_tasks_never_share_a_key(session, monkeypatch):
    """Of 10,000 random keys of 32 bits two are the same in one run of a hundred, and so are the
    values of their tasks."""
    monkeypatch.setattr("secrets.token_hex", lambda size=8: "0" * 2 * size)
    tasks = [session.submit(pow, number, 2, name="same") for number in range(3)]
    assert [task.result(30) for task in tasks] == [0, 1, 4]
    assert {task.name for task in tasks} == {"same"}
