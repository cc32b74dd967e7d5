"""A tiny memory limit changes how values come about, not the values; predictions are right."""

import math
import tracemalloc

import numpy as np
import pytest
from qiskit.primitives import StatevectorEstimator

from pilot_kernel.resource.worker_environment import usable_cores
from qdreamer_lab import CutEstimator, plan_cuts
from qdreamer_lab.engine.cpu.cache import tile_scratch_bytes
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.workload.exact import plans
from qdreamer_lab.workload.exact.lower import lower
from qdreamer_lab.workload.exact.slicing import cuts_to_slice
from qdreamer_lab.workload.fragment.footprint import batch_bytes, split_cuts
from qdreamer_lab.workload.fragment.gram_matrices import gram_scratch_bytes
from qdreamer_lab.workload.fragment.simulate import run_fragment
from tests.circuits.plain import bound_ansatz, double_ring, swept_ansatz


@pytest.mark.parametrize("kinds", [("gate",), ("wire",), ("gate", "wire")])
@pytest.mark.parametrize("limit", [30_000, 9_000])
def test_a_tiny_limit_gives_the_same_values(kinds, limit):
    circuit = double_ring(6)
    plan = plan_cuts(circuit, 4, kinds=kinds)
    pub = (circuit, ["ZZIIYX", "XXXXXX"])
    expected = StatevectorEstimator().run([pub]).result()[0].data.evs
    found = CutEstimator(4, plan=plan, memory_limit_bytes=limit).run([pub]).result()[0]
    np.testing.assert_allclose(found.data.evs, expected, atol=1e-11)


@pytest.mark.parametrize("limit", [30_000, 8_000])
def test_what_is_sliced_is_found_once_for_all_bindings(limit, monkeypatch):
    looked = []
    look = plans.cuts_to_slice
    monkeypatch.setattr(plans, "cuts_to_slice", lambda *args: looked.append(args) or look(*args))
    circuit, values = swept_ansatz(6, 4)
    observables = [[observable] for observable in ("ZZIIYX", "XXXXXX", "IIZIII", "YIIIIY")]
    counts = []
    for some in (values[:1], values):
        pub = (circuit, observables, some)
        looked.clear()
        found = CutEstimator(3, memory_limit_bytes=limit).run([pub]).result()[0].data.evs
        expected = StatevectorEstimator().run([pub]).result()[0].data.evs
        np.testing.assert_allclose(found, expected, atol=1e-11)
        counts.append(len(looked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("kinds", [("gate",), ("wire",), ("gate", "wire")])
def test_the_cut_that_saves_most_is_sliced_next(kinds):
    plan = plan_cuts(double_ring(6), 3, kinds=kinds)
    program = lower(plan, [((q, "Z"),) for q in range(6)])
    every = {cut for job in program.jobs for cut, _ in job.program.axes}
    for share in (0.7, 0.3, 0.1):
        limit = int(share * program.gram_bytes())
        sliced = cuts_to_slice(program, 16, 1 << 30, limit)
        assert program.gram_bytes(sliced) <= limit < program.gram_bytes(sliced[:-1])
        for k, cut in enumerate(sliced):
            others = every - set(sliced[:k])
            least = min(program.gram_bytes([*sliced[:k], other]) for other in others)
            assert program.gram_bytes([*sliced[:k], cut]) == least


def test_what_no_sliced_cut_touches_is_simulated_once():
    circuit = bound_ansatz(8, 2)
    plan = plan_cuts(circuit, 2)
    pub = (circuit, "ZZZZZZZZ")
    free = CutEstimator(2, plan=plan).run([pub]).result()[0]
    seen = []
    tight = CutEstimator(2, plan=plan, memory_limit_bytes=12_000, progress=seen.append)
    sliced = tight.run([pub]).result()[0]
    np.testing.assert_allclose(sliced.data.evs, free.data.evs, atol=1e-12)
    count = {f.id: 0 for f in plan.fragments}
    for row in sliced.metadata["fragments"]:
        count[row.fragment] += 1
    assert min(count.values()) == 1 < max(count.values())
    assert seen[-1].done == seen[-1].total == len(seen)


def peak_bytes(call):
    """Most memory that a call had allocated at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kinds", [("gate",), ("wire",)])
@pytest.mark.parametrize("share", [1.0, 0.7, 0.35])
@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
def test_peak_memory_is_as_predicted(kinds, share, dtype):
    # Large enough that what other threads of this process allocate meanwhile is nothing beside it.
    circuit = bound_ansatz(38, 2)
    plan = plan_cuts(circuit, 20, kinds=kinds)
    terms = [((0, "Z"),), ((3, "X"), (4, "Y")), ((5, "0"), (20, "Z"))]
    itemsize = np.dtype(dtype).itemsize
    for job in lower(plan, terms).jobs:
        run_fragment(job.program, job.operators, None, dtype)  # kernels are compiled
        whole = batch_bytes(job.program, job.operators, itemsize, {}, {})
        limit = int(share * whole) + 1
        try:
            split = split_cuts(job.program, job.operators, limit, itemsize, {}, {})
        except MemoryLimitError:
            continue
        predicted = batch_bytes(job.program, job.operators, itemsize, {}, {}, split)
        # What this way of running loads at its first use, kernels above all, is not its memory.
        run_fragment(job.program, job.operators, limit, dtype)
        peak = peak_bytes(lambda: run_fragment(job.program, job.operators, limit, dtype))  # noqa: B023
        assert predicted <= limit
        # Python does not see what compiled code takes for itself.
        rows = math.prod(job.program.dims(dict.fromkeys(split, 0)))
        row_bytes = itemsize << (job.program.width - len(job.program.open_cuts))
        states = itemsize * job.program.variants_with(dict.fromkeys(split, 0)) << job.program.width
        tiles = tile_scratch_bytes(states, itemsize, usable_cores(), branches=True)
        unseen = max(tiles, gram_scratch_bytes(rows, row_bytes, job.operators))
        assert unseen < 0.45 * predicted
        assert 0.9 * (predicted - unseen) < peak < 1.1 * predicted


def test_one_state_too_many_names_the_width_that_fits():
    circuit = bound_ansatz(16, 1)
    job = CutEstimator(16, memory_limit_bytes=2**18).run([(circuit, "Z" * 16)])
    with pytest.raises(MemoryLimitError, match="plan with max_qubits=13 or less"):
        job.result()
    assert CutEstimator(13, memory_limit_bytes=2**18).run([(circuit, "Z" * 16)]).result()
