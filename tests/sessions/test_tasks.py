"""The book of tasks: early news, and which tasks are held on to."""

import gc
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait

from pilot_kernel.errors import AgentLostError
from pilot_kernel.sessions.tasks import TaskBook
from pilot_kernel.task.wire.packing import pack
from pilot_kernel.task.wire.record import TaskState


def book(records=()):
    return TaskBook(lambda handler, keys: list(records), lambda: AgentLostError("gone"))


def end(tasks, key):
    """Send the news that a task has ended."""
    tasks.hear((0.0, {"key": key, "result": pack(key).header}))


def test_news_that_come_before_the_task_are_kept_for_it():
    tasks = book()
    with tasks.expecting("a-1"):
        tasks.hear((0.0, {"key": "a-1", "output": [("stdout", "early\n")]}))
        task = tasks.follow("a-1", None)
    assert task.output.text() == "early\n"
    assert task.state is TaskState.RUNNING
    tasks.hear((0.0, {"key": "a-1", "output": [("stdout", "late\n")]}))
    assert task.output.text() == "early\nlate\n"


def test_news_of_tasks_that_nobody_expects_are_dropped():
    tasks = book()
    with tasks.expecting("a-1"):
        pass
    tasks.hear((0.0, {"key": "a-1", "output": [("stdout", "lost\n")]}))
    assert tasks.follow("a-1", None).output.text() == ""


def test_only_the_latest_tasks_that_have_ended_are_held_on_to():
    tasks = book()
    keys = [f"t-{at}" for at in range(130)]
    for key in keys:
        tasks.follow(key, None)
    assert tasks.unfinished == 130
    for key in keys[:-1]:
        end(tasks, key)
    assert [task.key for task in tasks.listed()] == [*keys[29:-1], keys[-1]]
    assert tasks.unfinished == 1


def test_a_task_is_listed_while_it_ends():
    tasks, seen = book(), []

    class Watched(deque):
        """Somebody asks for the list just before a task is put among those that have ended."""

        def append(self, task):
            seen.append(pool.submit(tasks.listed))
            wait(seen, timeout=0.2)  # who has to wait may go on afterwards
            super().append(task)

    tasks._finished = Watched()
    task = tasks.follow("t-1", None)
    with ThreadPoolExecutor(1) as pool:
        end(tasks, "t-1")
        assert seen[0].result(30) == [task]


def test_a_part_is_held_by_its_whole_alone():
    tasks = book()
    part = tasks.follow("p-1", None, part=True)
    whole = tasks.follow("w-2", None, parts=[part])
    assert tasks.listed() == [whole]
    assert whole.parts == (part,)
    del part
    gc.collect()
    tasks.hear((0.0, {"key": "p-1", "started": 1.0}))
    assert whole.state is TaskState.RUNNING


def test_a_new_agent_begins_with_no_tasks():
    tasks = book()
    tasks.follow("a-1", None)
    tasks.begin()
    assert tasks.listed() == []


def test_records_come_with_their_state():
    row = {"key": "a-1", "name": "a", "state": "DONE", "queued": 1.0}
    [record] = book([row]).history(["a-1"])
    assert record.state is TaskState.DONE
