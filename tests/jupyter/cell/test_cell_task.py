"""The future that a cell gives: canceled, awaited."""

import asyncio

import pytest

from pilot_kernel.jupyter.cell.cell_task import CellTask
from pilot_kernel.task.notebook import staged_task
from tests.conftest import wait_until


def test_an_interrupt_and_its_echo_cancel_once(run, caplog):
    task = run("%%ctask --noblock --name twice\nimport time\nwhile True: time.sleep(0.01)")
    wait_until(task.running)
    assert task.cancel()
    assert task.cancel()
    wait_until(task.stages[0].done)
    staged_task._courier.submit(int).result(30)  # by now the courier has heard of it
    assert not [record for record in caplog.records if record.name == "concurrent.futures"]


def test_waiting_that_is_given_up_leaves_the_task_alone(run, caplog, tmp_path):
    gate = tmp_path / "gate"
    task = run(
        f"%%ctask --noblock\nimport os, time\nwhile not os.path.exists({str(gate)!r}): "
        "time.sleep(0.01)\n7"
    )
    assert isinstance(task, CellTask)

    async def give_up():
        await asyncio.wait_for(task, 0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    gate.touch()
    assert task.result(60) == 7
    staged_task._courier.submit(int).result(30)
    assert not [record for record in caplog.records if record.name == "concurrent.futures"]
