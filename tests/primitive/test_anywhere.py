"""Circuits on the best of several QPUs, and on the next if it fails; who ran what is said."""

import concurrent.futures
import time
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import InstructionProperties

from pilot_kernel.errors import PilotError, PlacementError, PubError, QpuError, TaskTimeoutError
from pilot_kernel.primitive import submit
from pilot_kernel.primitive.anywhere import DeviceTask, run_anywhere
from pilot_kernel.primitive.device import backend as backends
from pilot_kernel.primitive.device import run as running
from pilot_kernel.primitive.estimator import PilotEstimator
from pilot_kernel.primitive.offers import offers, places_of
from pilot_kernel.primitive.pub.check import sampler_pubs
from pilot_kernel.primitive.sampler import PilotSampler
from pilot_kernel.task.notebook.handle import Output
from pilot_kernel.task.wire.record import TaskRecord, TaskState
from qdreamer_lab import DeviceTerms
from tests.circuits.plain import bell, measured, star
from tests.primitive.vendor_devices import FORMATS, Vendor


class Done(concurrent.futures.Future):
    """A task that is over."""

    deaths, progress, key, name, begun = 0, (1, 1), "done-1", "done", 0.0
    state = TaskState.DONE

    def __init__(self, work):
        super().__init__()
        self.output, self.stages = Output(), (self,)
        self.record = TaskRecord(self.key, self.name, self.state, queued=time.time())
        try:
            self.set_result(work())
        except Exception as error:  # noqa: BLE001 as a task has it
            self.set_exception(error)


class Machine:
    """A session whose pilots stand for these devices; tasks run at once, in this process."""

    def __init__(self, monkeypatch, **devices):
        self.devices, self.sent, self.broken = devices, [], {}
        monkeypatch.setattr(backends, "backend_named", self.devices.get)
        monkeypatch.setattr(running, "backend_here", lambda: self.devices[self.here])

    def candidates(self, on=None):
        names = {None: ["cpu"], "qpu": list(self.devices)}.get(on, [on])
        if not set(names) <= {*self.devices, "cpu"}:
            raise PlacementError(f"on={on!r} names nothing here")
        return [
            SimpleNamespace(
                name=name,
                backend=name if name in self.devices else None,
                wanted=1,
                offers=("QPU" if name in self.devices else "CPU",),
                memory_per_worker_bytes=2**30,
            )
            for name in names
        ]

    def submit_call(self, fn, args, kwargs, options):
        def work():
            self.here = options.on
            if options.on in self.broken:
                raise self.broken[options.on]
            return fn(*args, **kwargs)

        self.sent.append(options.on)
        return Done(work)


def target(qubits=5, error=1e-3, seconds=1e-7):
    made = GenericBackendV2(qubits, ["rz", "sx", "x", "cx"], seed=1).target
    for name in ("cx", "measure"):
        for where in made[name]:
            made.update_instruction_properties(name, where, InstructionProperties(seconds, error))
    return made


def device(name, waiting=None, **how):
    made = Vendor(FORMATS["bits"], target=target(**how))
    made.name = name
    if waiting is not None:
        made.status = lambda: SimpleNamespace(pending_jobs=waiting)
    return made


@pytest.fixture
def machine(monkeypatch):
    return Machine(
        monkeypatch,
        exact=device("exact", error=1e-4, seconds=1e-3),
        fast=device("fast", error=1e-2, seconds=1e-7),
        tiny=device("tiny", qubits=2, error=1e-5, seconds=1e-8),
    )


ALL = ["exact", "fast", "tiny"]


def order(machine, **how):
    pubs = sampler_pubs([measured(star(3))], 1000)
    return [offer.place for offer in offers(machine, pubs, ALL, **how)]


def test_the_best_is_chosen_among_those_that_fit(machine):
    assert order(machine) == ["fast", "exact"]
    assert order(machine, prefer="fidelity") == ["exact", "fast"]
    terms = {"fast": DeviceTerms(price_per_shot=0.02), "exact": DeviceTerms(price_per_shot=0.01)}
    assert order(machine, prefer="cost", terms=terms) == ["exact", "fast"]
    assert order(machine, terms={"fast": DeviceTerms(queue_s=600.0)}) == ["exact", "fast"]
    narrow = offers(machine, sampler_pubs([measured(bell())], 10), ALL, prefer="fidelity")
    assert narrow[0].place == "tiny"
    machine.devices["fast"].status = lambda: SimpleNamespace(pending_jobs=9)
    assert order(machine) == ["exact", "fast"]


@pytest.mark.parametrize(("prefer", "wanted"), [("time", "fast"), ("fidelity", "exact")])
def test_a_run_goes_where_it_is_said_to_go(machine, prefer, wanted):
    result = run_anywhere(machine, measured(star(3)), on=ALL, prefer=prefer, shots=500).result(60)
    assert result.metadata["device"] == wanted
    assert "failed" not in result.metadata
    assert machine.sent == [wanted]
    assert set(result[0].data.meas.get_counts()) == {"000", "111"}
    told = PilotSampler(machine, on=ALL, prefer=prefer).dry_run([measured(star(3))])
    assert told.device == wanted
    assert machine.sent == [wanted]


def test_the_next_steps_in_and_values_are_right(machine):
    machine.broken["fast"] = QpuError("it is being mended")
    task = run_anywhere(machine, (star(3), ["ZZI", "XXX"]), on="qpu")
    result = task.result(60)
    assert result.metadata["device"] == "exact"
    assert result.metadata["failed"] == {"fast": "it is being mended"}
    assert machine.sent == ["fast", "exact"]
    np.testing.assert_allclose(result[0].data.evs, [1, 1], atol=0.1)
    assert "fast failed, exact is next: it is being mended" in task.output.text()
    assert task.about[0].observables.shape == (2,)


def test_primitives_take_several_too(machine):
    machine.broken["fast"] = QpuError("no")
    sampler = PilotSampler(machine, on=ALL, seed=3)
    first, again = (
        sampler.run([measured(star(3))]).result()[0].data.meas.get_counts() for _ in range(2)
    )
    assert first == again
    estimator = PilotEstimator(machine, on=["fast", "exact"])
    assert estimator.default_precision == 1 / 64
    result = estimator.run([(star(3), "XXX")]).result()
    assert result.metadata["device"] == "exact"


def test_simulators_step_in_if_they_may(machine, monkeypatch):
    machine.broken |= {"fast": QpuError("no"), "exact": ValueError("neither")}
    task = run_anywhere(machine, measured(star(3)), on=ALL)
    with pytest.raises(ValueError, match="neither"):
        task.result(60)
    assert task.state is TaskState.FAILED
    result = run_anywhere(machine, measured(star(3)), on=ALL, fallback="cpu").result(60)
    assert result.metadata["device"] == "cpu"
    assert list(result.metadata["failed"]) == ["fast", "exact"]
    assert set(result[0].data.meas.get_counts()) == {"000", "111"}
    alone = run_anywhere(machine, measured(star(3)), on="fast", fallback="cpu").result(60)
    assert alone.metadata["failed"] == {"fast": "no"}


@pytest.mark.parametrize("error", [TaskTimeoutError("late"), concurrent.futures.CancelledError()])
def test_some_ends_are_final(machine, error):
    machine.broken["fast"] = error
    task = run_anywhere(machine, measured(star(3)), on=ALL)
    with pytest.raises((TaskTimeoutError, PilotError)):
        task.result(60)
    assert machine.sent == ["fast"]


def test_a_pilot_that_is_gone_by_then_is_passed_over():
    def gone():
        raise PlacementError("gone")

    result = SimpleNamespace(metadata={})
    task = DeviceTask("x", [("a", gone), ("b", lambda: Done(lambda: result))])
    assert task.result(60).metadata == {"device": "b", "failed": {"a": "gone"}}
    with pytest.raises(PlacementError, match="gone"):
        DeviceTask("x", [("a", gone)])


@pytest.mark.parametrize(
    ("how", "error", "complaint"),
    [
        ({"on": []}, PlacementError, r"on=\[\]: names of QPUs' pilots"),
        ({"on": ["fast", 3]}, PlacementError, "names of QPUs' pilots"),
        ({"on": ["fast", "fast"]}, PlacementError, "on= names 'fast' twice"),
        ({"on": ["fast", "slow"]}, PlacementError, "'slow' names nothing"),
        ({"on": ["fast", "cpu"]}, PlacementError, "'cpu' stands for simulators; .* fallback='cpu'"),
        ({"on": ALL, "fallback": "slow"}, PlacementError, "'slow' names nothing"),
        ({"on": ALL, "prefer": "luck"}, PilotError, "prefer='luck': 'time', 'fidelity', 'cost'"),
        ({"on": "fast", "prefer": "luck"}, PilotError, "prefer='luck'"),
        ({"on": ALL, "prefer": "cost"}, PilotError, r"needs prices: give terms=\{'exact'"),
        (
            {
                "on": ALL,
                "prefer": "cost",
                "terms": {
                    "fast": DeviceTerms(price_per_job=1.0),
                    "exact": DeviceTerms(price_per_job=1.0, currency="EUR"),
                },
            },
            PilotError,
            "in EUR, USD: give all terms in one currency",
        ),
        ({"on": ["tiny"]}, PubError, "has 3 qubits, and tiny has 2"),
        ({"on": ALL, "precision": 0.1}, PubError, "use shots="),
        ({"on": ALL, "method": "stabilizer"}, PubError, "is a QPU and has no such choice"),
        ({"on": ALL, "luck": 1}, TypeError, "unexpected keyword argument 'luck'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(machine, how, error, complaint):
    with pytest.raises(error, match=complaint):
        run_anywhere(machine, measured(star(3)), **how)
    assert machine.sent == []


def test_one_place_is_as_ever(machine):
    assert places_of(machine, None) == places_of(machine, "cpu") == places_of(machine, "fast") == []
    task = run_anywhere(machine, measured(bell()), on="fast")
    assert isinstance(task, Done)
    assert submit.default_precision(machine, "fast") == 1 / 64
