"""Workers whose GPU is gone, with a real agent and a fake of NVML."""

import contextlib
import os
import time
from pathlib import Path

import pytest

import pilot_kernel
from tests.conftest import PATIENCE_S, wait_until
from tests.resource.fake_nvml import TWO, FakeNvml


@pytest.fixture
def nvml(tmp_path, monkeypatch):
    fake = FakeNvml(tmp_path / "fake")
    monkeypatch.setenv("PYTHONPATH", str(fake.folder), prepend=":")
    monkeypatch.syspath_prepend(fake.folder)
    return fake


@pytest.fixture
def cards(nvml):
    with pilot_kernel.Session() as opened:
        pilot = opened.add_pilot("local://", cores_per_node=1, gpus_per_node=2, name="cards")
        wait_until(lambda: len(pilot.status.gpus) == 2)
        yield opened, pilot


def which():
    return os.environ["CUDA_VISIBLE_DEVICES"]


def test_each_worker_says_which_gpu_it_has_and_the_smallest_counts(cards):
    opened, pilot = cards
    assert pilot.status.gpus == ("A100, 40 GiB", "H100, 80 GiB")
    assert pilot.status.gpu_memory_bytes == 40 << 30
    (activity,) = opened.activity().pilots
    assert [worker.gpu for worker in activity.workers] == ["", "H100, 80 GiB", "A100, 40 GiB"]
    ids = opened.broadcast(which, on="gpu").result(PATIENCE_S)
    assert set(ids) == {"GPU-a", "GPU-b"}


def use(trace, gate):
    """Fail as everything does whose GPU is gone; elsewhere, say where."""
    with open(trace, "a") as file:
        file.write(f"{which()}\n")
    while not Path(gate).exists():
        time.sleep(0.02)
    if which() == "GPU-a":
        raise RuntimeError("CUDA error: device lost")
    return which()


def begun(trace):
    with contextlib.suppress(FileNotFoundError):
        return Path(trace).read_text().split()
    return []


@pytest.mark.parametrize("fails", [True, False], ids=["an error", "no answer at all"])
def test_what_runs_when_a_gpu_goes_is_not_to_blame_and_runs_on_another(
    cards, nvml, tmp_path, fails
):
    opened, pilot = cards
    trace, gate = str(tmp_path / "trace"), tmp_path / "gate"
    tasks = [opened.submit(use, trace, str(gate), on="gpu", retries=0) for _ in range(2)]
    wait_until(lambda: set(begun(trace)) == {"GPU-a", "GPU-b"})
    nvml.sees(TWO[1:])
    if not fails:  # the one without a GPU hangs, until its worker looks
        wait_until(lambda: pilot.status.workers == 2)
    gate.touch()
    assert [task.result(PATIENCE_S) for task in tasks] == ["GPU-b", "GPU-b"]
    assert all(task.record.deaths == 0 for task in tasks)
    assert sorted(begun(trace)) == ["GPU-a", "GPU-b", "GPU-b"]
    status = pilot.status
    assert (status.workers, status.wanted) == (2, 3)
    assert "worker cards-1 takes no tasks: its H100 is gone" in status.note
    for _ in range(3):
        assert opened.submit(which, on="gpu").result(PATIENCE_S) == "GPU-b"
    nvml.sees(TWO)
    wait_until(lambda: pilot.status.workers == 3)
    assert "gone" not in pilot.status.note


def test_an_error_of_a_task_s_own_stays_one(cards):
    opened, _ = cards

    def fail():
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        opened.submit(fail, on="gpu").result(PATIENCE_S)


def test_an_old_driver_is_noted(nvml):
    nvml.sees(TWO, cuda=11040, driver="470.82")
    with pilot_kernel.Session() as own:
        pilot = own.add_pilot("local://", cores_per_node=1, gpus_per_node=1)
        wait_until(lambda: "driver 470.82 is too old" in pilot.status.note)
