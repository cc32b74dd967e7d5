"""Work for a GPU goes there, in parts that fit, and nowhere else. The GPU here is NumPy."""

from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab import CutEstimator
from qdreamer_lab.engine.program import Step
from qdreamer_lab.errors import GpuError, MemoryLimitError, MethodError
from qdreamer_lab.workload.exact.lower import FragmentJob, lower
from qdreamer_lab.workload.exact.plans import ExactPlans
from qdreamer_lab.workload.execution import limits
from qdreamer_lab.workload.fragment.gpu import gpu_bytes, gpu_outcomes, gpu_rows
from qdreamer_lab.workload.fragment.program import FragmentProgram
from qdreamer_lab.workload.fragment.simulate import (
    FragmentCall,
    final_states,
    run_fragment,
    run_fragments,
)
from qdreamer_lab.workload.plan.find import plan_cuts
from tests.circuits.drawn import random_circuit
from tests.workload.fragment.fake_gpu import FakeGpu, no_gpu

TERMS = (((0, "Z"), (3, "X")), ((1, "Y"), (2, "Z"), (4, "Y")), ((2, "0"), (4, "+")), ())

BRANCHING = 77
ASKING = "fragment-0-memory"


def fragments(seed, kinds):
    plan = plan_cuts(random_circuit(seed, general=True), 3, kinds=kinds)
    return lower(plan, TERMS).jobs


def branching(seed):
    """A fragment of so many choices that parts of it are much smaller."""
    rng = np.random.default_rng(seed)

    def matrices(*shape):
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    steps = []
    for cut in range(4):
        steps.append(Step((0, 1), matrices(1, 4, 4)))
        steps.append(Step((cut % 3,), matrices(2 + cut % 2, 2, 2), cut))
        steps.append(Step((2, 0), matrices(1, 4, 4)))
    program = FragmentProgram(BRANCHING, 3, tuple(steps), (9,), ((0, 0), (1, 1)))
    return FragmentJob(program, (((0, "Y"), (1, "Z")), (), ((1, "+"),)))


def on_gpu(*calls, limit=None, dtype="complex128"):
    return run_fragments(calls, limit, dtype, "GPU").tensors


@pytest.mark.parametrize("kinds", [("gate",), ("wire",), ("gate", "wire")])
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 500))
def test_tensors_are_those_of_the_processor(kinds, seed):
    jobs = fragments(seed, kinds)
    calls = [FragmentCall(job.program, job.operators, {}, {}) for job in jobs]
    for dtype, atol in (("complex128", 1e-12), ("complex64", 1e-5)):
        with pytest.MonkeyPatch.context() as patch:
            fake = FakeGpu(patch)
            found = on_gpu(*calls, dtype=dtype)
        assert [len(batch) for batch in fake.calls] == [len(calls)]  # together, for shared launches
        for job, there in zip(jobs, found, strict=True):
            here = run_fragment(job.program, job.operators, None, dtype)
            assert there.shape == here.shape
            np.testing.assert_allclose(there, here, atol=atol)


@pytest.mark.parametrize("kinds", [("gate",), ("wire",), ("gate", "wire")])
@pytest.mark.parametrize("seed", [3, 8, 11])
def test_fixed_choices_and_parts_are_those_of_the_processor(monkeypatch, kinds, seed):
    for job in [*fragments(seed, kinds), branching(seed)]:
        cuts = [cut for cut, _ in job.program.axes]
        free = tuple(step.cut for step in job.program.steps if step.cut is not None)
        fixed = dict.fromkeys(cuts[:1], 0), dict.fromkeys(cuts[:1], 1)
        for bra, ket in (({}, {}), fixed, (fixed[0], fixed[0])):
            here = run_fragment(job.program, job.operators, None, "complex128", bra, ket)
            how = (job.program, job.operators, 16, bra, ket)
            splits = [
                tuple(cut for cut in free if cut not in bra)[:count]
                for count in range(len(free) + 1)
            ]
            least = min(gpu_bytes(*how, split) for split in splits)
            fake = FakeGpu(monkeypatch, free=least)
            (there,) = on_gpu(FragmentCall(job.program, job.operators, bra, ket))
            np.testing.assert_allclose(there, here, rtol=1e-10, atol=1e-12)
            if job.program.id == BRANCHING and not bra:
                assert len(fake.calls[0]) > 1


def test_a_state_beyond_the_gpu_is_refused_with_what_would_fit(monkeypatch):
    FakeGpu(monkeypatch, free=1000)
    job = fragments(5, ("gate",))[0]
    call = FragmentCall(job.program, job.operators, {}, {})
    for limit in (None, 1 << 40):  # what a user allows makes no memory
        with pytest.raises(MemoryLimitError, match="1000 B may be used"):
            on_gpu(call, limit=limit)
    FakeGpu(monkeypatch)
    with pytest.raises(MemoryLimitError, match="999 B may be used"):
        on_gpu(call, limit=999)


def test_outcomes_and_states_are_those_of_the_processor(monkeypatch):
    (job,) = lower(plan_cuts(random_circuit(2), 5), TERMS).jobs
    program: FragmentProgram = job.program
    fake = FakeGpu(monkeypatch)
    states = final_states(program)
    np.testing.assert_array_equal(gpu_rows(program), states)
    numbers = np.random.default_rng(1).random(500)
    edges = np.cumsum(np.abs(states[0]) ** 2)
    expected = np.searchsorted(edges, numbers * edges[-1], side="right")
    np.testing.assert_array_equal(gpu_outcomes(program, numbers), expected)
    assert fake.fetched == 2


@pytest.mark.parametrize("on", ["gpu", "GPU"])
@pytest.mark.parametrize("width", [3, 5])
def test_an_estimator_runs_there_cut_and_uncut(monkeypatch, on, width):
    circuit = random_circuit(7, general=True)
    observables = ["ZZIXY", "01+-r", "IIIIZ"]
    fake = FakeGpu(monkeypatch)
    here = CutEstimator(width).run([(circuit, observables)]).result()[0].data.evs
    assert not fake.calls
    there = CutEstimator(width, on=on).run([(circuit, observables)]).result()[0].data.evs
    np.testing.assert_allclose(there, here, atol=1e-12)
    assert fake.calls


def test_shots_of_fragments_come_from_states_on_the_gpu(monkeypatch):
    circuit = random_circuit(7)
    options = {"mode": "sampled", "shots": 4000, "seed": 3}
    fake = FakeGpu(monkeypatch)
    here = CutEstimator(3, **options).run([(circuit, "ZIIZX")]).result()[0].data.evs
    assert not fake.fetched
    there = CutEstimator(3, on="gpu", **options).run([(circuit, "ZIIZX")]).result()[0].data.evs
    np.testing.assert_allclose(there, here, atol=1e-12)
    assert fake.fetched


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_without_a_gpu_nothing_runs_on_the_processor_instead(monkeypatch, mode):
    no_gpu(monkeypatch)
    job = fragments(5, ("gate",))[0]
    with pytest.raises(GpuError, match="no CuPy"):
        on_gpu(FragmentCall(job.program, job.operators, {}, {}))
    with pytest.raises(GpuError, match="no CuPy"):
        CutEstimator(3, on="gpu", mode=mode).run([(random_circuit(1), "ZZZZZ")]).result()


@pytest.mark.parametrize("method", ["matrix_product_state", "stabilizer"])
def test_what_no_gpu_simulates_is_refused(monkeypatch, method):
    FakeGpu(monkeypatch)
    circuit = random_circuit(1, num_gates=0)
    estimator = CutEstimator(5, method=method, on="gpu")
    with pytest.raises(MethodError, match=f"method='{method}' does not run on GPUs"):
        estimator.run([(circuit, "ZZZZZ")]).result()


class AskedSession:
    """A session whose one worker is this process; it counts what is asked of it."""

    def __init__(self):
        self.names = []

    def submit(self, fn, /, *args, name, on=None):
        self.names.append(name)
        future = Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)
        return future

    def backend(self, on=None):
        return None

    def candidates(self, on=None):
        memory = 1 << 10  # of the host: too little for anything
        return [
            SimpleNamespace(
                name="cards", workers=1, wanted=1, offers=("GPU",), memory_per_worker_bytes=memory
            )
        ]

    pilots_for = candidates


@pytest.mark.parametrize("mode", ["exact", "sampled"])
@pytest.mark.parametrize("on", ["gpu", "cards"])
def test_the_memory_of_the_gpu_is_asked_for_once_and_counts(monkeypatch, mode, on):
    FakeGpu(monkeypatch)
    session, circuit = AskedSession(), random_circuit(7)
    here = CutEstimator(3, mode=mode, seed=1).run([(circuit, "ZIIZX")]).result()[0].data.evs
    estimator = CutEstimator(3, session=session, on=on, mode=mode, seed=1)
    for asked in (1, 0):
        session.names.clear()
        there = estimator.run([(circuit, "ZIIZX")]).result()[0].data.evs
        np.testing.assert_allclose(there, here, atol=1e-12 if mode == "exact" else 0.1)
        assert session.names.count(ASKING) == asked
        assert len(session.names) > asked


def test_a_worker_whose_gpu_cannot_be_used_says_so_before_anything_is_simulated(monkeypatch):
    no_gpu(monkeypatch)
    session = AskedSession()
    with pytest.raises(GpuError, match="no CuPy"):
        CutEstimator(3, session=session, on="gpu").run([(random_circuit(7), "ZIIZX")]).result()
    assert session.names == [ASKING]


def test_in_this_process_the_memory_of_its_gpu_counts_not_its_own(monkeypatch):
    fake = FakeGpu(monkeypatch)
    circuit = random_circuit(7, 11, 20)
    here = CutEstimator(11).run([(circuit, "Z" * 11)]).result()[0].data.evs
    monkeypatch.setattr(limits, "available_bytes", lambda: 10_000)  # a state takes 32 KiB
    with pytest.raises(MemoryLimitError, match="may be used"):
        CutEstimator(11).run([(circuit, "Z" * 11)]).result()
    there = CutEstimator(11, on="gpu").run([(circuit, "Z" * 11)]).result()[0].data.evs
    np.testing.assert_allclose(there, here, atol=1e-12)
    assert fake.calls


def test_in_this_process_a_missing_gpu_is_told_before_anything_is_planned(monkeypatch):
    no_gpu(monkeypatch)
    monkeypatch.setattr(ExactPlans, "runs", lambda *_: pytest.fail("planned"))
    with pytest.raises(GpuError, match="no CuPy"):
        CutEstimator(3, on="gpu").run([(random_circuit(7), "ZIIZX")]).result()
