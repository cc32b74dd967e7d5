"""What making states takes, held against the process that makes them."""

import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, sys
from pathlib import Path
from qdreamer_lab.dreamer.fragment.probes import probe_program
from qdreamer_lab.workload.fragment.footprint import batch_bytes
from qdreamer_lab.workload.fragment.simulate import run_fragment

def held(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))

operators = (((0, "Z"),),)
run_fragment(probe_program(10, ["dense"] * 5 + ["branch"] * 2), operators)  # what is loaded once
kinds = ["dense"] * 20 + ["branch"] * int(sys.argv[2]) + ["dense"] * 20
program = probe_program(int(sys.argv[1]), kinds)
ctypes.CDLL(None).malloc_trim(0)
Path("/proc/self/clear_refs").write_text("5")
before = held("VmRSS")
run_fragment(program, operators)
print(held("VmHWM") - before, batch_bytes(program, operators, 16, {}, {}))
"""


@pytest.mark.parametrize(("width", "cuts"), [(16, 3), (18, 0), (18, 2), (20, 1)])
@pytest.mark.parametrize("cores", ["1", "2"])
def test_no_more_than_predicted_and_not_much_less(width, cuts, cores, monkeypatch):
    monkeypatch.setenv("PILOT_CORES_PER_WORKER", cores)
    words = [sys.executable, "-c", SCRIPT, str(width), str(cuts)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    grown, predicted = map(int, done.stdout.split())
    assert 0.8 * predicted < grown < 1.1 * predicted
