"""What is known of GPUs, by a fake of NVML: which there are, old drivers, and one that is gone."""

import sys

import pytest

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource import gpus
from tests.resource.fake_nvml import TWO, FakeNvml


@pytest.fixture
def nvml(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "fake")
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    yield FakeNvml(tmp_path / "fake")
    sys.modules.pop("pynvml", None)


@pytest.fixture
def files(monkeypatch):
    """Have device files of so many GPUs."""

    def there(count):
        monkeypatch.setattr(gpus, "_files", lambda: [f"/dev/nvidia{k}" for k in range(count)])

    return there


def test_without_nvml_gpus_are_counted_by_their_files(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    files(2)
    gpus.check_count(2)
    with pytest.raises(DescriptionError, match="gpus_per_node=3, but this machine shows 2 GPUs"):
        gpus.check_count(3)
    assert gpus.visible(1)["CUDA_VISIBLE_DEVICES"] == "1"
    assert gpus.look_at("0") is None


def test_gpus_are_named_by_ids_that_stay(nvml):
    gpus.check_count(2)
    with pytest.raises(DescriptionError, match="shows 2 GPUs"):
        gpus.check_count(3)
    assert gpus.visible(1) == {"CUDA_VISIBLE_DEVICES": "GPU-b", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert gpus.look_at("GPU-b") == gpus.look_at("1") == gpus.Gpu("GPU-b", "A100", 40 << 30)
    assert gpus.described({"name": "A100", "memory_bytes": 40 << 30}) == "A100, 40 GiB"
    assert gpus.described({"name": "", "memory_bytes": 0}) == ""


def test_a_driver_that_does_not_answer_is_said(nvml, files):
    nvml.sees(TWO, init=18)
    files(2)
    with pytest.raises(
        DescriptionError, match=r"has GPUs, but their driver does not answer .*Version mismatch"
    ):
        gpus.check_count(1)
    gpus.check_count(0)
    files(0)
    with pytest.raises(DescriptionError, match="shows 0 GPUs"):
        gpus.check_count(1)


@pytest.mark.parametrize(("cuda", "known"), [(11040, "11.4"), (11080, "11.8")])
def test_a_driver_that_is_too_old_is_named_with_what_it_knows(nvml, cuda, known):
    nvml.sees(TWO, cuda=cuda, driver="470.82")
    found = gpus.look_at("0")
    assert f"driver 470.82 is too old: it knows CUDA {known}" in found.driver
    nvml.sees(TWO, cuda=12000)
    assert gpus.look_at("0").driver == ""


def test_a_gpu_that_was_there_and_is_not_is_lost_whatever_its_number_is_now(nvml):
    seen = gpus.look_at("0")
    nvml.sees(TWO[1:])
    with pytest.raises(gpus.GpuLostError, match="Not Found"):
        gpus.look_at("0", seen)
    with pytest.raises(gpus.GpuLostError):
        gpus.look_at("GPU-a")
    assert gpus.look_at("7") is None  # a batch system may count otherwise
    nvml.sees([{**TWO[0], "error": 15}, TWO[1]])
    with pytest.raises(gpus.GpuLostError, match="GPU is lost"):
        gpus.look_at("0")
    nvml.sees(TWO)
    assert gpus.look_at("0", seen) == seen
