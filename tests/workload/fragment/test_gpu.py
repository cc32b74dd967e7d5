"""Fragments on a GPU that is NumPy posing as CuPy, against the same on the processor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab import CutEstimator
from qdreamer_lab.engine.gpu import cuda
from qdreamer_lab.errors import GpuError, MemoryLimitError
from qdreamer_lab.workload.exact.lower import lower
from qdreamer_lab.workload.fragment.footprint import batch_bytes
from qdreamer_lab.workload.fragment.gpu import Gpu
from qdreamer_lab.workload.fragment.simulate import FragmentCall, run_fragment, run_fragments
from qdreamer_lab.workload.plan.find import plan_cuts
from tests.circuits.drawn import random_circuit
from tests.engine.gpu.conftest import fake_gpu, install
from tests.engine.gpu.fake_cupy import FakeCupy

__all__ = ["fake_gpu", "install"]  # fixtures

TERMS = (((0, "Z"), (3, "X")), ((1, "Y"), (2, "Z"), (4, "Y")), ((2, "0"), (4, "+")), ())


def fragments(seed, kinds):
    circuit = random_circuit(seed, general=True)
    plan = plan_cuts(circuit, 3, kinds=kinds)
    return lower(plan, TERMS).jobs


@pytest.mark.parametrize("kinds", [("gate",), ("wire",), ("gate", "wire")])
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 500))
def test_tensors_are_those_of_the_processor(kinds, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "array_module", lambda: FakeCupy())
        for job in fragments(seed, kinds):
            for dtype, atol in (("complex128", 1e-12), ("complex64", 1e-5)):
                here = run_fragment(job.program, job.operators, None, dtype)
                there = run_fragment(job.program, job.operators, 1 << 30, dtype, device=Gpu())
                np.testing.assert_allclose(there, here, atol=atol)


@pytest.mark.parametrize("kinds", [("gate",), ("wire",)])
def test_fixed_choices_and_parts_are_those_of_the_processor(install, kinds):
    for job in fragments(3, kinds):
        cuts = [step.cut for step in job.program.steps if step.cut is not None]
        bra, ket = dict.fromkeys(cuts[:1], 0), dict.fromkeys(cuts[:1], 1)
        here = run_fragment(job.program, job.operators, None, "complex128", bra, ket)
        install(FakeCupy())
        (there,) = run_fragments(
            (FragmentCall(job.program, job.operators, bra, ket),), None, "complex128", "GPU"
        ).tensors
        np.testing.assert_allclose(there, here, atol=1e-12)
        sizes = [
            batch_bytes(job.program, job.operators, 16, {}, {}, tuple(cuts[:count]))
            for count in range(len(cuts) + 1)
        ]
        least = min(sizes)
        install(FakeCupy(free=4 * least))  # the GPU's own memory is what counts
        there = run_fragment(job.program, job.operators, None, device=Gpu())
        here = run_fragment(job.program, job.operators)
        np.testing.assert_allclose(there, here, atol=1e-12)


def test_tensors_alone_come_back(fake_gpu):
    job = fragments(5, ("gate",))[0]
    run_fragment(job.program, job.operators, None, device=Gpu())
    assert fake_gpu.fetched == 1


def test_a_state_beyond_the_gpu_is_refused_with_what_would_fit(install):
    install(FakeCupy(free=1000))
    job = fragments(5, ("gate",))[0]
    for limit in (None, 1 << 40):  # what a user allows makes no memory
        with pytest.raises(MemoryLimitError, match="may be used"):
            run_fragment(job.program, job.operators, limit, device=Gpu())


def test_without_a_gpu_nothing_runs_on_the_processor_instead(install):
    install(None)
    job = fragments(5, ("gate",))[0]
    call = FragmentCall(job.program, job.operators, {}, {})
    with pytest.raises(GpuError, match="no CuPy"):
        run_fragments((call,), None, "complex128", "GPU")
    circuit = random_circuit(1)
    with pytest.raises(GpuError, match="no CuPy"):
        CutEstimator(3, on="gpu").run([(circuit, "ZZZZZ")]).result()


@pytest.mark.parametrize("on", ["gpu", "GPU"])
@pytest.mark.parametrize("width", [3, 5])
def test_an_estimator_runs_there_cut_and_uncut(fake_gpu, on, width):
    circuit = random_circuit(7, general=True)
    observables = ["ZZIXY", "01+-r", "IIIIZ"]
    here = CutEstimator(width).run([(circuit, observables)]).result()[0].data.evs
    assert not fake_gpu.fetched
    there = CutEstimator(width, on=on).run([(circuit, observables)]).result()[0].data.evs
    np.testing.assert_allclose(there, here, atol=1e-12)
    assert fake_gpu.fetched
