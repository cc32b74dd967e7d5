"""Kernels come from numba's cache as they are, and nothing is compiled for it."""

import json
import subprocess
import sys

import pytest

_LOOK = """
import json, sys
import numpy as np
from qdreamer_lab.kernels.loading import in_cache, load_kernels
from qdreamer_lab.kernels.simulate import statevector

kernel = statevector.apply_one_qubit
if "call" in sys.argv:
    kernel(np.ones((1, 4), np.complex128), np.array([[0, 2], [3, 0]], np.complex128), 1)
names = list(load_kernels("qdreamer_lab.kernels.simulate")) if "load" in sys.argv else []
loaded = [str(s) for s in kernel.signatures]
states = np.arange(4, dtype=np.complex128)[None]
out = states.copy()
if "use" in sys.argv:
    kernel(out, np.array([[0, 2], [3, 0]], np.complex128), 1)
print(json.dumps({
    "names": names, "loaded": loaded, "out": np.abs(out).tolist(),
    "compiled": sum(kernel.stats.cache_misses.values()),
    "cached": [in_cache("qdreamer_lab.kernels.simulate"), in_cache("qdreamer_lab.kernels.gates")],
}))
"""


@pytest.fixture
def look(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))

    def run(*words):
        told = subprocess.run(
            [sys.executable, "-c", _LOOK, *words], capture_output=True, text=True, check=True
        )
        return json.loads(told.stdout)

    return run


def test_what_the_cache_holds_is_loaded_and_the_rest_is_not_compiled(look, tmp_path):
    empty = look("load")
    assert "qdreamer_lab.kernels.simulate.statevector.apply_one_qubit" in empty["names"]
    assert empty["loaded"] == []
    assert empty["cached"] == [False, False]
    assert not list(tmp_path.rglob("*.nbi"))
    assert look("call")["compiled"] == 1
    full = look("load", "use")
    assert len(full["loaded"]) == 1
    assert full["compiled"] == 0
    assert full["out"] == [[4.0, 6.0, 0.0, 3.0]]
