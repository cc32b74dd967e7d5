"""Ranks that keep their parts on a GPU: the true kernels, run on a CPU, against other ranks."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from pilot_kernel.errors import PlacementError
from qdreamer_lab.errors import GpuError, MotifError
from qdreamer_lab.workflow.state_vector.app import StateVector, observables
from qdreamer_lab.workflow.state_vector.circuits import circuit_of
from qdreamer_lab.workflow.state_vector.holder import GpuHolder
from qdreamer_lab.workflow.state_vector.program import planned_state
from qdreamer_lab.workflow.state_vector.rank import run_rank
from tests.engine.gpu.conftest import gpu, kernels_library  # noqa: F401 fixtures
from tests.workflow.state_vector.thread_ranks import in_ranks


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_values_are_those_of_ranks_on_cores(gpu, ranks, monkeypatch):  # noqa: F811
    one_at_a_time, apply = threading.Lock(), GpuHolder.apply

    def applied(self, steps):  # the stand-in's kernels have one shared memory
        with one_at_a_time:
            apply(self, steps)

    monkeypatch.setattr(GpuHolder, "apply", applied)
    circuit, paulis = circuit_of("random", 8, 3, 1), observables(8).paulis
    on_gpu = planned_state(circuit, paulis, ranks, chunk=16, device="GPU", whole_state=True)
    on_cores = planned_state(circuit, paulis, ranks, chunk=16, whole_state=True)
    gpu.launches.clear()
    (found, *_), _ = in_ranks(ranks, run_rank, on_gpu.program)
    (expected, *_), _ = in_ranks(ranks, run_rank, on_cores.program)
    assert gpu.launches
    np.testing.assert_allclose(found.state, expected.state, atol=1e-12)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-12)


def test_ranks_share_the_gpus_of_a_host(gpu, monkeypatch):  # noqa: F811
    chosen = []
    runtime = gpu.cuda.runtime
    monkeypatch.setattr(runtime, "getDeviceCount", lambda: 3)
    monkeypatch.setattr(runtime, "setDevice", chosen.append, raising=False)
    for rank in range(5):
        assert GpuHolder(3, "complex128", 1, rank=rank).array[0] == (rank == 0)
    assert chosen == [0, 1, 2, 0, 1]


def test_a_part_that_does_not_fit(gpu, monkeypatch):  # noqa: F811
    monkeypatch.setattr(gpu, "memory_bytes", 1 << 10)
    with pytest.raises(GpuError, match="memory is full: a state of 12 qubits"):
        GpuHolder(12, "complex128", 1, rank=1)


def test_a_report_says_what_ranks_on_gpus_were_tested_with():
    on_cores = StateVector(qubits=6, ranks=1)
    circuit, observable = circuit_of("random", 6, 2, 1), observables(6)
    planned = on_cores.planned(circuit, observable.paulis)
    (outcome, *_), _ = in_ranks(1, run_rank, planned.program)
    assert on_cores._told(circuit, observable, planned, outcome).notes == ()
    on_gpu = replace(on_cores, device="GPU")._told(circuit, observable, planned, outcome)
    assert "one GPU that they shared" in on_gpu.notes[0]
    assert on_gpu.values["largest error of a value"] < 1e-12


def test_where_no_pilot_has_a_gpu():
    class Bare:
        def candidates(self, on):
            raise PlacementError(f"on={on!r} names nothing here")

    with pytest.raises(MotifError, match="device=GPU: no pilot here has a GPU; add one with"):
        StateVector(device="GPU").run(Bare())
    with pytest.raises(PlacementError, match="on='mine' names nothing"):
        StateVector(device="GPU", on="mine").run(Bare())
