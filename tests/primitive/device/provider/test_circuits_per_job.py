"""Jobs at a provider have no more circuits, and no more executions, than the device takes."""

import pytest
from qiskit import QuantumCircuit
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer import AerSimulator

from pilot_kernel.primitive.device.provider import registry
from pilot_kernel.primitive.device.provider.jobs import sample
from pilot_kernel.primitive.device.provider.registry import Provider, jobs_for
from tests.circuits.plain import bell, measured
from tests.primitive.device.provider.far_devices import (
    FOLDER,
    GENERIC,
    FarBackend,
    FarSampler,
    sent_jobs,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def _pub(shots):
    return SamplerPub(measured(bell()), shots=shots)


class Few(FarBackend):
    """A device that takes so many circuits in a job, or so many executions."""

    def __init__(self, circuits=None):
        super().__init__()
        self.most = circuits

    max_circuits = property(lambda self: self.most)


@pytest.mark.parametrize(
    ("circuits", "executions", "wanted"),
    [
        (2, None, [(10, 1), (30, 1), (30, 2)]),
        (None, 60, [(10, 1), (30, 1), (30, 2)]),
        (None, 59, [(10, 1), (30, 1), (30, 1), (30, 1)]),
        (None, 5, [(10, 1), (30, 1), (30, 1), (30, 1)]),  # fewer than one circuit there is not
        (3, 89, [(10, 1), (30, 1), (30, 2)]),
        (0, None, [(10, 1), (30, 3)]),
    ],
)
def test_a_job_has_no_more_circuits_than_the_device_takes(
    folder, monkeypatch, circuits, executions, wanted
):
    class Strict(FarSampler):
        def run(self, pubs, *, shots=None):
            assert len(pubs) <= (circuits or 3)
            assert len(pubs) == 1 or sum(pub.shots for pub in pubs) <= (executions or 90)
            return super().run(pubs, shots=shots)

    provider = Provider(sampler=lambda backend, seed: Strict(), executions=lambda _: executions)
    monkeypatch.setattr(registry, "provider_of", lambda backend: provider)
    found = sample(provider, Few(circuits), [_pub(30), _pub(10), _pub(30), _pub(30)])
    told = [jobs_for(Few(circuits), 3, 30), jobs_for(Few(circuits), 1, 10)]
    assert [result.data.meas.num_shots for result in found] == [30, 10, 30, 30]
    sent = sorted((job["shots"], job["circuits"]) for job in sent_jobs(folder).values())
    assert sent == wanted
    assert sum(told) == len(wanted)


def test_equal_circuits_in_jobs_of_one_each_have_shots_of_their_own():
    wide = QuantumCircuit(30, 30)
    wide.h(range(30))
    wide.measure(range(30), range(30))
    pubs = [SamplerPub(wide, shots=4) for _ in range(3)]
    seeds = []
    seeded = Provider(
        sampler=lambda backend, seed: seeds.append(seed) or GENERIC.sampler(AerSimulator(), seed)
    )
    found = sample(seeded, Few(1), pubs, seed=5)
    assert len(set(seeds)) == len(seeds)
    assert len({result.data.c.array.tobytes() for result in found}) == len(pubs)
