"""Which ways are looked at, which comes first, and what is said if none will do."""

import dataclasses
import itertools
import math
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab import CutEstimator, Limits, MachineProfile, QDreamer
from qdreamer_lab.dreamer.advice.candidates import widths_for
from qdreamer_lab.dreamer.advice.ranking import affordable, as_good, ranked
from qdreamer_lab.dreamer.advice.run_prediction import estimator_for
from qdreamer_lab.dreamer.model.makespan import Share, play
from qdreamer_lab.dreamer.predict.configuration import Configuration
from qdreamer_lab.errors import QDreamerError
from tests.circuits.plain import ghz, layered, neighbours, ring

pytestmark = pytest.mark.usefixtures("steady_planning")  # predictions are compared


class Workers:
    """A session of local workers that runs nothing."""

    def __init__(self, count, resource="local://"):
        self.status = SimpleNamespace(
            resource=resource,
            wanted=count,
            cores_per_worker=1,
            memory_per_worker_bytes=8 << 30,
            backend=None,
        )

    def pilot_statuses(self):
        return [self.status]

    def candidates(self, on=None):
        return [self.status]

    def backend(self, on=None):
        return None


@pytest.fixture
def dreamer():
    return QDreamer(profile=MachineProfile.nominal())


@pytest.mark.parametrize("make", [ghz, layered, ring])
@pytest.mark.parametrize(("n", "workers"), [(8, 0), (5, 1), (6, 4), (8, 4)])
def test_the_best_of_all_ways_is_among_those_looked_at(make, n, workers):
    dreamer = QDreamer(Workers(workers) if workers else None, profile=MachineProfile.nominal())
    circuit, observables = make(n), neighbours(n)
    every = []
    ways = itertools.product(
        range(2, n + 1), sorted({1, max(1, workers // 2), max(1, workers)}), ("lo", "work"),
        {False, workers > 0},
    )  # fmt: skip
    for width, many, cost, here in ways:
        if here and many > 1:
            continue
        try:
            every.append(
                dreamer.predict(
                    circuit, observables, max_qubits=width, workers=many, cost=cost, in_process=here
                )
            )
        except QDreamerError:
            continue
    for method in ("matrix_product_state", "stabilizer"):
        for here in {False, workers > 0}:
            try:
                every.append(dreamer.predict(circuit, observables, method=method, in_process=here))
            except QDreamerError:
                continue
    found = dreamer.recommend(circuit, observables)
    assert as_good(found.best.makespan_s, min(one.makespan_s for one in every))


def test_fewer_workers_are_among_the_ways_and_priced_without_waiting_tasks():
    dreamer = QDreamer(Workers(4), profile=MachineProfile.nominal())
    found = dreamer.recommend(layered(20), neighbours(20), methods=["statevector"])
    counts = {
        one.configuration.workers for one in found.predictions if not one.configuration.in_process
    }
    assert counts == {1, 2, 4}
    one, all_of_them = (
        dreamer.predict(layered(20), neighbours(20), max_qubits=7, workers=many) for many in (1, 4)
    )
    # Held to one worker, every task waits for its own round trip.
    assert one.phase("dispatch").seconds > all_of_them.phase("dispatch").seconds


def test_held_to_fewer_workers_no_task_is_ready_when_another_ends():
    shares = [Share(1, 1.0, 1.0) for _ in range(6)]
    assert play(shares, 2, ahead=True, most=2).makespan_s == pytest.approx(3)
    assert play(shares, 1, ahead=True, most=1).makespan_s == pytest.approx(6)


def test_short_work_is_weighed_in_this_process_but_not_for_other_machines():
    circuit, observables = ghz(6), neighbours(6)
    profile = MachineProfile.nominal()
    found = QDreamer(Workers(2), profile=profile).recommend(circuit, observables)
    assert found.best.configuration.in_process
    assert "in this process" in found.explain()
    assert found.best.phase("dispatch").seconds < 1e-3
    far, near = Workers(2, "ssh://far"), Workers(2)
    for session, how in ((far, {}), (near, {"on": "cpu"}), (near, {"in_process": False})):
        found = QDreamer(session, profile=profile).recommend(circuit, observables, **how)
        assert not any(one.configuration.in_process for one in found.predictions)


def test_the_estimator_of_a_way_runs_that_way(dreamer):
    session = Workers(4)
    one = dreamer.predict(layered(12), neighbours(12), max_qubits=6, cost="work", workers=2)
    estimator = estimator_for(one, session, 4)
    assert estimator._settings.plan is one.given is not None
    assert estimator._execution.session is session
    assert estimator._execution.most_workers == 2
    assert estimator_for(one, session, 2)._execution.most_workers is None
    here = dreamer.predict(layered(12), neighbours(12), max_qubits=6, in_process=True)
    assert estimator_for(here, session, 4)._execution.session is None
    chain = dreamer.predict(layered(12), neighbours(12), method="matrix_product_state")
    estimator = estimator_for(chain, session, 4)
    assert [mode.method for mode in estimator._modes] == ["matrix_product_state"]
    assert estimator._execution.most_workers is None


@pytest.mark.parametrize("cost", ["lo", "work"])
def test_plans_of_other_measures_run_as_predicted(dreamer, cost):
    circuit, observables = layered(12), neighbours(12)
    one = dreamer.predict(circuit, observables, max_qubits=8, cost=cost, kinds=("gate",))
    assert one.given is not None
    assert one.given.cost == cost
    found = estimator_for(one, None, 1).run([(circuit, observables)]).result()[0]
    whole = dreamer.predict(circuit, observables)
    same = estimator_for(whole, None, 1).run([(circuit, observables)]).result()[0]
    assert found.data.evs == pytest.approx(same.data.evs, abs=1e-9)
    assert found.metadata["variants"] == one.variants
    assert cost == "lo" or "fewest operations" in one.title
    assert "gate cuts only" in one.title


def prediction(seconds, *, cut=False, mode="exact", workers=1):
    way = Configuration(4, mode, workers=workers)
    return SimpleNamespace(makespan_s=seconds, cut=cut, configuration=way)


def test_ties_go_to_what_is_not_cut_and_then_to_fewer_workers():
    cut, whole = prediction(1.0, cut=True), prediction(1.04)
    assert ranked([cut, whole], exact_first=True) == (whole, cut)
    slow = prediction(1.06)
    assert ranked([slow, cut], exact_first=True) == (cut, slow)
    many, few = prediction(1.0, workers=4), prediction(1.05, workers=2)
    assert ranked([many, few], exact_first=True) == (few, many)
    cut_few = prediction(1.0, cut=True, workers=1)
    assert ranked([cut_few, many], exact_first=False) == (many, cut_few)


def test_exact_values_come_first_if_nothing_else_was_asked_for_and_they_are_affordable():
    quick, exact = prediction(1.0, mode="sampled"), prediction(50.0)
    assert ranked([quick, exact], exact_first=True) == (exact, quick)
    assert ranked([quick, exact], exact_first=False) == (quick, exact)
    hours = prediction(7200.0)
    assert ranked([quick, hours], exact_first=True) == (quick, hours)
    shots = prediction(1000.0, mode="sampled")
    assert ranked([shots, hours], exact_first=True) == (hours, shots)
    assert not affordable([quick])
    assert affordable([hours])


def test_a_tie_is_told_in_plain_words(dreamer):
    found = dreamer.recommend(layered(12), neighbours(12), methods=["statevector"])
    cut = next(one for one in found.predictions if one.cut)
    cut = dataclasses.replace(cut, makespan_s=1.02)
    whole = dataclasses.replace(dreamer.predict(layered(12), neighbours(12)), makespan_s=1.0)
    told = dataclasses.replace(found, predictions=(whole, cut)).explain()
    assert "Cutting would take about as long" in told
    assert "About as fast: in fragments" in told
    assert "the one without cuts is recommended" in told
    shots = dataclasses.replace(
        dreamer.predict(layered(12), neighbours(12), max_qubits=6, mode="sampled"),
        makespan_s=0.5,
    )
    told = dataclasses.replace(found, predictions=(whole, shots)).explain()
    assert "no precision was asked for" in told


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Limits(max_seconds=1e-6), r"takes .* more than 1e-06 s.*factor of"),
        (Limits(max_memory_bytes=10), r"needs .* more than 10 B.*factor of"),
    ],
)
def test_limits_that_nothing_keeps_name_what_would(dreamer, limits, told):
    with pytest.raises(QDreamerError, match=told) as caught:
        dreamer.recommend(layered(8), neighbours(8), limits=limits)
    assert "the closest is" in str(caught.value)
    more = 3 * float(str(caught.value).rpartition("factor of ")[2])  # which is rounded
    name = "max_seconds" if limits.max_seconds else "max_memory_bytes"
    wider = Limits(**{name: more * getattr(limits, name)})
    assert dreamer.recommend(layered(8), neighbours(8), limits=wider).predictions


def test_widths_are_few_and_fine_where_circuits_are_small():
    assert widths_for(36, None) == [36, 24, 18, 14, 12, 9]
    assert widths_for(36, 20) == [20, 18, 14, 12, 9]
    assert widths_for(8, None, fine=True) == [8, 7, 6, 5, 4, 3, 2]
    assert widths_for(1, None) == [1]
    assert all(math.ceil(width) == width for width in widths_for(7, None))


class Mixed(Workers):
    """A session of local workers without GPUs, and of others with one, that runs nothing."""

    def __init__(self):
        super().__init__(2)
        self.status.offers = ("CPU",)
        with_gpu = {"resource": "slurm://", "wanted": 1, "offers": ("GPU",)}
        self.gpu = SimpleNamespace(**{**vars(self.status), **with_gpu})

    def pilot_statuses(self):
        return [self.status, self.gpu]

    def candidates(self, on=None):
        return [self.gpu if on == "gpu" else self.status]


def tangled(n):
    """Rotations, and entanglement of all with all: cutting it costs too much."""
    rng = np.random.default_rng(n)
    circuit = QuantumCircuit(n)
    for layer in range(8):
        for qubit in range(n):
            circuit.ry(rng.uniform(0, 3), qubit)
        order = rng.permutation(n).tolist()
        for low, high in zip(order[::2], order[1::2], strict=True):
            (circuit.rzz if layer % 2 else circuit.rxx)(rng.uniform(0.5, 1), low, high)
    return circuit


def test_a_gpu_is_weighed_where_there_is_one_and_pays_for_large_states(monkeypatch):
    dreamer = QDreamer(Mixed(), profile=MachineProfile.nominal())
    small = dreamer.recommend(layered(8), neighbours(8))
    assert small.best.configuration.on is None
    circuit = tangled(22)
    large = dreamer.recommend(circuit, neighbours(22), methods=["statevector"])
    assert large.best.configuration.on == "gpu"
    assert "Without a GPU it would take" in large.explain()
    assert "GPU times are nominal, never measured" in large.explain()
    without = QDreamer(Workers(2), profile=MachineProfile.nominal())
    found = without.recommend(circuit, neighbours(22), methods=["statevector"])
    assert found.best.makespan_s > 5 * large.best.makespan_s
    assert not any(one.configuration.on for one in found.predictions)


def test_only_exact_state_vectors_are_weighed_on_a_gpu():
    dreamer = QDreamer(Mixed(), profile=MachineProfile.nominal())
    found = dreamer.recommend(layered(12), neighbours(12), precision=0.1)
    mine = [one.configuration for one in found.predictions if one.configuration.on == "gpu"]
    assert mine
    assert all(way.exact and way.method == "statevector" for way in mine)
    assert "A GPU does not pay" in found.explain() or found.best.configuration.on == "gpu"
    chains = dreamer.recommend(ghz(12), neighbours(12), methods=["matrix_product_state"])
    assert not any(one.configuration.on for one in chains.predictions)


def test_a_gpu_has_a_profile_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    dreamer = QDreamer(Mixed())
    nominal = MachineProfile.nominal()
    measured = dataclasses.replace(
        nominal, source="measured", sources=("measured",) * len(nominal.sources), cores=7
    )
    dreamer.engine.keep("gpu", measured)
    again = QDreamer(Mixed())
    assert again.profile("gpu").cores == 7
    assert again.profile().source == "nominal"
    assert not any("nominal, never measured" in note for note in again.place("gpu").notes)


class Lending(Workers):
    """Four workers of one core on one node, which lend each other their cores; runs nothing."""

    def __init__(self, count=4):
        super().__init__(count)
        self.status.most_cores = count


def test_few_large_tasks_are_priced_with_the_cores_of_several_workers():
    profile = MachineProfile.nominal()
    circuit, observables = tangled(22), neighbours(22)
    narrow, wide = (
        QDreamer(session, profile=profile).predict(circuit, observables)
        for session in (Workers(4), Lending(4))
    )
    assert (narrow.cores, narrow.lent) == (1, False)
    assert (wide.cores, wide.lent) == (4, True)
    ratio = narrow.phase("execute").seconds / wide.phase("execute").seconds
    assert 2 < ratio < 4
    told = QDreamer(Lending(4), profile=profile).recommend(circuit, observables)
    assert "one gets cores of several workers: 4 at most" in told.explain()
    small = QDreamer(Lending(4), profile=profile).predict(tangled(12), neighbours(12))
    assert small.cores == 1


def test_cores_of_tasks_are_those_that_dispatch_asks_for(monkeypatch):
    asked = []

    class Runs(Lending):
        """Runs tasks at once, in this process, and notes the cores that they ask for."""

        def __init__(self):
            super().__init__(4)
            self.status.workers = 4
            self.status.name = "four"

        def pilots_for(self, on=None):
            return [self.status]

        def submit(self, fn, /, *args, name, on=None, cores=None):
            asked.append(cores or 1)
            future = Future()
            future.set_result(fn(*args))
            return future

    monkeypatch.setattr("qdreamer_lab.workload.execution.wide_tasks.WIDE_FROM", 6)
    monkeypatch.setattr("qdreamer_lab.workload.execution.wide_tasks.WIDE_FROM_S", 0.0)
    session = Runs()
    for width in (12, 6):
        asked.clear()
        dreamer = QDreamer(session, profile=MachineProfile.nominal())
        found = dreamer.predict(layered(12), neighbours(12), max_qubits=width)
        CutEstimator(width, session=session).run([(layered(12), neighbours(12))]).result()
        assert len(asked) == found.tasks
        assert max(asked) == found.cores
        assert found.cores == (4 if width == 12 else 2)


def test_widths_are_parts_of_what_runs_at_once():
    assert widths_for(127, None, spread=48) == [127, 48, 32, 24, 19, 16, 12]
    assert widths_for(127, 20, spread=48) == [20, 19, 16, 12]
    assert widths_for(36, None, spread=20) == widths_for(36, None)
    assert widths_for(100, None, spread=0) == widths_for(100, None)


def test_a_cone_that_fits_nowhere_is_cut_however_wide_the_circuit_is(dreamer, monkeypatch):
    """Of 120 qubits the term sees some; shots of what is wider than 63 are no way and no fault."""
    circuit = QuantumCircuit(120)
    for _ in range(3):
        circuit.rx(0.4, range(120))
        for low in range(119):
            circuit.rzz(0.3, low, low + 1)
    operator = SparsePauliOp.from_sparse_list([("Z" * 4, [20, 30, 60, 90], 1.0)], 120)
    found = dreamer.recommend(circuit, operator, limits=Limits(max_memory_bytes=1 << 20))
    assert found.best.configuration.exact
    assert found.best.memory_bytes <= 1 << 20
    assert max(fragment.width for fragment in found.best.plan.fragments) < 17


def test_workers_that_are_still_coming_are_spoken_of():
    session = Workers(3)
    session.status.workers = 1
    found = QDreamer(session, profile=MachineProfile.nominal()).recommend(ring(4), neighbours(4))
    coming = "Note: 1 of 3 workers are up so far; the time counts from when all are."
    assert coming in found.explain().splitlines()
    session.status.workers = 3
    found = QDreamer(session, profile=MachineProfile.nominal()).recommend(ring(4), neighbours(4))
    assert "up so far" not in found.explain()
