"""A kernel is compiled once for all integers that other kernels call it with."""

import json
import subprocess
import sys

_CALLS = """
import json
from qdreamer_lab.kernels.jit import kernel

@kernel
def twice(number, wide=0):
    return 2 * number + wide

@kernel
def summed(many):
    total, step = twice(7), 0
    while step < many:  # `step` is the constant 0 first, and then any number
        total += twice(step, wide=1)
        step += 1
    return total + twice(many, 5)

found = summed(4), twice(0.5)
print(json.dumps([found, [[str(kind) for kind in kinds] for kinds in twice.signatures]]))
"""


def test_constants_are_integers_like_others(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    file = tmp_path / "calls.py"
    file.write_text(_CALLS)
    told = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    (summed, halves), signatures = json.loads(told.stdout)
    assert summed == 14 + sum(2 * step + 1 for step in range(4)) + 13
    assert halves == 1.0
    assert not [kinds for kinds in signatures if "Literal" in str(kinds)]
    assert [kinds for kinds in signatures if kinds[0] == "int64"] != []
