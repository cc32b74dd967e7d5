"""Looking at a GPU whose driver is slow, or never answers."""

import asyncio
import threading

import pytest

from pilot_kernel.resource.gpus import Gpu, GpuLostError
from pilot_kernel.task.worker import gpu_watch
from pilot_kernel.task.worker.gpu_watch import GpuWatch
from tests.conftest import PATIENCE_S

CARD = Gpu("GPU-a", "H100", 80 << 30)


class Driver:
    """`look_at` that answers when it may."""

    def __init__(self, monkeypatch):
        self.may_answer = threading.Event()
        self.begun = []
        self.error = None
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a")
        monkeypatch.setattr(gpu_watch, "look_at", self.look_at)

    def look_at(self, which, seen):
        self.begun.append(which)
        assert self.may_answer.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return CARD


@pytest.fixture
def driver(monkeypatch):
    found = Driver(monkeypatch)
    yield found
    found.may_answer.set()


def test_a_driver_that_does_not_answer_takes_one_thread_and_is_no_lost_gpu(driver, monkeypatch):
    monkeypatch.setattr(gpu_watch, "_PATIENCE_S", 0.01)
    lost = []

    async def ask():
        watch = GpuWatch(lambda: lost.append(1))
        hanging = [await watch.gone() for _ in range(5)]
        while not driver.begun:  # its thread may be late
            await asyncio.sleep(0.01)
        begun = len(driver.begun)
        monkeypatch.setattr(gpu_watch, "_PATIENCE_S", PATIENCE_S)
        driver.may_answer.set()
        found = await watch.gone()
        watch.close()
        return hanging, begun, found, watch.told()["name"]

    assert asyncio.run(ask()) == ([False] * 5, 1, False, "H100")
    assert not lost


def test_all_who_ask_at_once_hear_that_it_is_gone_which_is_told_once(driver):
    driver.error = GpuLostError("fell off its bus")
    lost = []

    async def ask():
        watch = GpuWatch(lambda: lost.append(1))
        asked = [asyncio.ensure_future(watch.gone()) for _ in range(4)]
        await asyncio.sleep(0)  # all of them have asked
        driver.may_answer.set()
        gone = await asyncio.gather(*asked)
        watch.close()
        return gone, watch.trouble

    assert asyncio.run(ask()) == ([True] * 4, "fell off its bus")
    assert lost == [1]
