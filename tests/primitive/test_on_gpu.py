"""`on="gpu"`: refused in the notebook if no engine runs it, else sent to GPU workers as such."""

import dataclasses

import pytest

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.estimator import PilotEstimator
from pilot_kernel.primitive.sampler import PilotSampler
from pilot_kernel.primitive.simulator import state_engines
from pilot_kernel.primitive.simulator.run import Settings
from pilot_kernel.primitive.submit import run
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from tests.circuits.plain import bell, measured

CARDS = PilotStatus(
    name="cards",
    resource="slurm://",
    state=PilotState.ACTIVE,
    workers=1,
    wanted=1,
    running=0,
    cores_per_worker=1,
    offers=("GPU",),
    memory_per_worker_bytes=64,  # of its host: not what the states of a GPU are held in
)


class Submitted(Exception):  # noqa: N818
    """Carries what was submitted."""


class FakeSession:
    """A session of one pilot that runs nothing."""

    def __init__(self, pilot):
        self.pilot = pilot

    def candidates(self, on=None):
        return [self.pilot]

    def submit_call(self, fn, args, kwargs, options):
        raise Submitted(args[1])


class Engine:
    name = "engine"

    def refusal(self, circuit, sets, device, *, sampled):
        return None if device == "GPU" else "is for GPUs"


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setattr(state_engines, "registered", lambda: (Engine(),))


def submissions(session, on):
    """What is tried, one after the other: the settings that each would be run with."""
    calls = (
        lambda: run(session, measured(bell()), on=on),
        lambda: run(session, (bell(), "ZZ"), on=on),
        lambda: PilotEstimator(session, on=on).run([(bell(), "ZZ")]),
        lambda: PilotSampler(session, on=on).run([measured(bell())]),
    )
    for call in calls:
        with pytest.raises(Submitted) as submitted:
            call()
        (settings,) = submitted.value.args
        yield settings


@pytest.mark.parametrize("on", ["gpu", "GPU", "cards"])
def test_what_was_asked_for_on_a_gpu_is_told_so(engine, on):
    found = list(submissions(FakeSession(CARDS), on))
    assert found == [Settings("automatic", "GPU")] * 4


@pytest.mark.parametrize(("offers", "on"), [(("CPU",), None), (("CPU", "GPU"), "cards")])
def test_nothing_else_is(engine, offers, on):
    pilot = dataclasses.replace(CARDS, offers=offers, memory_per_worker_bytes=10**9)
    found = list(submissions(FakeSession(pilot), on))
    assert found == [Settings("automatic", "CPU")] * 4


def test_an_option_for_gpus_counts_too(engine):
    with pytest.raises(Submitted) as submitted:
        run(FakeSession(CARDS), (bell(), "ZZ"), gpus=1)
    assert submitted.value.args == (Settings("automatic", "GPU"),)


def test_what_no_engine_runs_is_refused_before_it_is_submitted(monkeypatch):
    monkeypatch.setattr(state_engines, "registered", lambda: ())
    with pytest.raises(PubError, match=r"no installed package .*'qdreamer-lab\[gpu\]'"):
        run(FakeSession(CARDS), (bell(), "ZZ"), on="gpu")
    monkeypatch.setattr(state_engines, "registered", lambda: (Engine(),))
    with pytest.raises(PubError, match="method='stabilizer': on GPUs"):
        run(FakeSession(CARDS), (bell(), "ZZ"), on="gpu", method="stabilizer")
