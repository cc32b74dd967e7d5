"""Which GPU there is, and the one clear reason where none can be used."""

import sys
from types import SimpleNamespace

import pytest

from qdreamer_lab.engine.gpu.costs import gpu_costs
from qdreamer_lab.engine.gpu.device import (
    cupy_module,
    free_bytes,
    gpu_errors,
    usable_device,
)
from qdreamer_lab.errors import GpuError
from tests.engine.gpu.fake_cupy import CUDARuntimeError, FakeCupy


@pytest.fixture
def cupy(monkeypatch):
    """CuPy's stand-in, without kernels."""
    fake = FakeCupy(None)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return fake


def test_what_it_is(cupy):
    found = usable_device()
    assert (found.name, found.compute_capability) == ("Fake", (9, 0))
    assert (found.driver, found.runtime, found.multiprocessors) == (13000, 13000, 132)
    assert found.memory_bytes == cupy.memory_bytes
    assert free_bytes() == cupy.memory_bytes


def test_no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(GpuError, match=r"no CuPy.*pip install 'qdreamer-lab\[gpu\]'"):
        usable_device()


def test_cupy_that_cannot_be_loaded(monkeypatch):

    def broken(name, *rest):
        raise ImportError("libcublas.so.12: cannot open shared object file", name="libcublas")

    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr("importlib.import_module", broken)
    with pytest.raises(GpuError, match=r"cannot be loaded \(libcublas"):
        cupy_module()


def failing(error):
    def call(*_):
        raise error

    return call


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"driverGetVersion": lambda: 0}, "no NVIDIA driver"),
        ({"driverGetVersion": failing(RuntimeError("no library"))}, "no NVIDIA driver"),
        ({"driverGetVersion": lambda: 12040}, r"too old: it supports CUDA 12\.4.*13\.0.*cuda12x"),
        ({"getDeviceCount": lambda: 0}, "sees no GPU"),
        ({"getDeviceCount": failing(CUDARuntimeError("no device"))}, "can be used: no device"),
        ({"getDevice": failing(CUDARuntimeError("lost"))}, "cannot be used: lost"),
    ],
)
def test_one_reason(cupy, changes, message):
    for name, change in changes.items():
        setattr(cupy.cuda.runtime, name, change)
    with pytest.raises(GpuError, match=message):
        usable_device()


def test_errors_say_which_gpus_the_process_was_left(cupy, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    with pytest.raises(GpuError, match="CUDA_VISIBLE_DEVICES='7'"):
        usable_device()


def test_a_gpu_too_old(cupy):
    cupy.properties |= {"major": 6, "minor": 1}
    with pytest.raises(GpuError, match=r"Fake is too old: its compute capability is 6\.1"):
        usable_device()


def test_a_gpu_that_disappears(cupy):
    message = r"failed \(a pass\): CUDARuntimeError: unspecified"
    with pytest.raises(GpuError, match=message), gpu_errors("a pass"):
        raise CUDARuntimeError("unspecified launch failure")


def test_other_errors_are_left_alone(cupy):
    with pytest.raises(ZeroDivisionError), gpu_errors("a pass"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("card", "block", "whole", "double", "single"),
    [
        ("V100", 96 << 10, 96 << 10, 11, 12),
        ("T4", 64 << 10, 64 << 10, 11, 12),
        ("A100", 163 << 10, 164 << 10, 12, 13),
        ("RTX 4090", 99 << 10, 100 << 10, 11, 12),
        ("H100", 227 << 10, 228 << 10, 12, 13),
    ],
)
def test_two_blocks_share_a_multiprocessor(card, block, whole, double, single):
    device = SimpleNamespace(shared_block_bytes=block, shared_bytes=whole)
    for itemsize, bits in ((16, double), (8, single)):
        costs = gpu_costs(device, itemsize)
        assert costs.tile_bits == bits, card
        assert itemsize << bits <= max(48 << 10, block)
    assert gpu_costs(device, 16, 40).tile_bits == (block // 16).bit_length() - 1
