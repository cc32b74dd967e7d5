"""Devices far away, as a provider shows them: jobs that outlive whoever has sent them.

Jobs are files of a folder that `FAR_FOLDER` names. Aer computes them at once, with no noise.
"""

import json
import os
import pickle
import signal
import uuid
from pathlib import Path

from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, BaseSamplerV2
from qiskit.providers import BackendV2, Options
from qiskit_aer import AerSimulator

from pilot_kernel.primitive.device.provider import registry
from pilot_kernel.primitive.device.provider.registry import Provider

FOLDER = "FAR_FOLDER"
"""The variable with the folder of all jobs."""


class FarBackend(BackendV2):
    """An ideal device that nothing but its provider's sampler reaches."""

    def __init__(self, name="far"):
        super().__init__(name=name)
        self._target = AerSimulator().target

    target = property(lambda self: self._target)
    max_circuits = None

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, run_input, **options):
        raise AssertionError("a backend with a provider of its own was run")


class FarJob:
    """A job that was sent, or is asked for again."""

    def __init__(self, job_id):
        self._id = job_id

    def job_id(self):
        return self._id

    def result(self):
        if Path(os.environ[FOLDER], "die").exists():  # whoever waits for it is lost, once
            Path(os.environ[FOLDER], "die").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return pickle.loads(Path(os.environ[FOLDER], f"{self._id}.result").read_bytes())

    def cancel(self):
        Path(os.environ[FOLDER], f"{self._id}.canceled").touch()


class FarSampler(BaseSamplerV2):
    """Sends jobs, all of whose PUBs have the same shots."""

    def run(self, pubs, *, shots=None):
        sizes = {pub.shots for pub in pubs}
        if len(sizes) != 1:
            raise ValueError(f"shots differ: {sizes}")
        job_id = uuid.uuid4().hex
        folder = Path(os.environ[FOLDER])
        result = BackendSamplerV2(backend=AerSimulator()).run(pubs).result()
        (folder / f"{job_id}.result").write_bytes(pickle.dumps(result))
        sent = {"circuits": len(pubs), "shots": sizes.pop()}
        (folder / f"{job_id}.sent").write_text(json.dumps(sent))
        return FarJob(job_id)


def retrieved(backend, job_id):
    """A job by its id."""
    if not Path(os.environ[FOLDER], f"{job_id}.sent").exists():
        raise LookupError(f"no job {job_id}")
    return FarJob(job_id)


def sent_jobs(folder):
    """What each job has asked for, by its id."""
    return {path.stem: json.loads(path.read_text()) for path in Path(folder).glob("*.sent")}


PROVIDER = Provider(sampler=lambda backend, seed: FarSampler(), job=retrieved)

GENERIC = Provider(
    sampler=lambda backend, seed: BackendSamplerV2(
        backend=backend, options={"seed_simulator": seed}
    ),
    estimator=lambda backend, seed: BackendEstimatorV2(
        backend=backend, options={"seed_simulator": seed}
    ),
)
"""What many providers have: Qiskit's primitives for any backend."""


def far():
    """The device, in a process that may know nothing of its provider yet."""
    registry._OURS["tests.primitive.device.provider.far_devices"] = f"{__name__}:PROVIDER"
    registry._provider.cache_clear()
    return FarBackend()
