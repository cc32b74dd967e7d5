"""Why a GPU cannot be used is said in one error, whatever it is."""

import pytest

from qdreamer_lab.engine.gpu import cuda
from qdreamer_lab.errors import GpuError
from tests.engine.gpu.fake_cupy import CUDARuntimeError, FakeCupy


def test_a_gpu_that_works_is_found_and_its_memory_known(install):
    cupy = install(FakeCupy(free=1000, pooled=24))
    assert cuda.array_module() is cupy
    assert cuda.free_bytes() == 1024


def no_device():
    return CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")


@pytest.mark.parametrize(
    ("cupy", "complaint"),
    [
        (None, r"there is no CuPy: pip install 'qdreamer-lab\[gpu\]'"),
        (FakeCupy(devices=0), r"sees no GPU \(CUDA_VISIBLE_DEVICES='7'\)"),
        (FakeCupy(devices=no_device()), r"no GPU can be used: cudaErrorNoDevice.*='7'"),
        (FakeCupy(driver=11080), r"supports CUDA 11\.8 .* built for CUDA 12\.4; .*cupy-cuda11x"),
        (FakeCupy(driver=12080, built_for=13000), r"supports CUDA 12\.8 .* CUDA 13\.0"),
        (FakeCupy(broken=RuntimeError("no nvrtc")), r"RuntimeError: no nvrtc"),
    ],
)
def test_what_is_in_the_way_is_named(install, monkeypatch, cupy, complaint):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    install(cupy)
    with pytest.raises(GpuError, match=complaint):
        cuda.array_module()


def test_no_driver_at_all_is_not_an_old_one(install):
    install(FakeCupy(driver=0, devices=no_device()))
    with pytest.raises(GpuError, match="no GPU can be used"):
        cuda.array_module()


def test_a_newer_driver_and_another_minor_version_are_fine(install):
    for driver, built_for in ((13000, 12040), (12020, 12080)):
        cupy = install(FakeCupy(driver=driver, built_for=built_for))
        assert cuda.array_module() is cupy


def test_an_error_is_not_kept(install):
    install(None)
    with pytest.raises(GpuError):
        cuda.array_module()
    cupy = install(FakeCupy())
    assert cuda.array_module() is cupy
