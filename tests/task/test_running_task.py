"""A task's time limit, with a task process made up."""

import asyncio

import pytest

from pilot_kernel.errors import TaskTimeoutError
from pilot_kernel.task.worker.running_task import Run


class Process:
    """A task process that answers a call when it is told to, and notes the signals it is sent."""

    def __init__(self):
        self.signals = []
        self.may_answer = asyncio.Event()

    async def ask(self, parts):
        await self.may_answer.wait()
        return parts

    def signal(self, number):
        self.signals.append(number)
        self.may_answer.set()

    def end(self):
        self.signals.append("end")


def limit_of_a_moment(work):
    """What `work(run, process)` makes of a task that may run for a hundredth of a second."""

    async def main():
        return await work(Run("task-1", 0.01, None), Process())

    return asyncio.run(main())


def test_a_limit_is_over_with_its_task():
    async def two(run, process):
        process.may_answer.set()
        await run.ask(process, ["first"])
        await asyncio.sleep(0.05)  # for a timer to go off that must not
        return run.verdict, process.signals

    assert limit_of_a_moment(two) == (None, [])


def test_what_runs_before_a_task_has_no_limit_and_the_task_itself_has():
    async def both(run, process):
        asyncio.get_running_loop().call_later(0.05, process.may_answer.set)
        assert await run.ask(process, ["on_start"], limited=False) == ["on_start"]
        assert (run.verdict, process.signals) == (None, [])
        process.may_answer.clear()
        await run.ask(process, ["task"])
        raise run.verdict

    with pytest.raises(TaskTimeoutError, match=r"longer than its 0\.01 s"):
        limit_of_a_moment(both)
