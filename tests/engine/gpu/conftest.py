"""A stand-in for CuPy, put where this process would look for it."""

import sys

import pytest

from qdreamer_lab.engine.gpu import cuda
from tests.engine.gpu.fake_cupy import FakeCupy


@pytest.fixture
def install(monkeypatch):
    """Put a `FakeCupy` in CuPy's place, or None so that there is none."""

    def put(module):
        monkeypatch.setitem(sys.modules, "cupy", module)
        cuda.array_module.cache_clear()
        return module

    yield put
    cuda.array_module.cache_clear()


@pytest.fixture
def fake_gpu(install):
    """A GPU that works."""
    return install(FakeCupy())
