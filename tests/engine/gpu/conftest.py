"""A GPU for tests that need none: the true kernels, run on a CPU."""

import shutil
import sys
from importlib.resources import files

import pytest

from tests.engine.gpu.fake_cupy import FakeCupy, compiled


@pytest.fixture(scope="session")
def kernels_library(tmp_path_factory):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ to compile the GPU's kernels with for a CPU")
    kernels = files("qdreamer_lab.engine.gpu") / "kernels.cu"
    return compiled(tmp_path_factory.mktemp("kernels"), compiler, kernels)


@pytest.fixture(scope="module")
def gpu(kernels_library):
    """CuPy's stand-in, in its place."""
    fake = FakeCupy(kernels_library)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", fake)
        yield fake
