"""A stand-in for QRMI's `QuantumResource`: the same methods, over Aer. No hardware is behind it.

What it is asked is written into the file that `QRMI_TOLD` names, one word to a line.
"""

import functools
import inspect
import json
import os
import uuid
from pathlib import Path
from types import SimpleNamespace

import qrmi
import qrmi.primitives
from qiskit import qasm3
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from qiskit_ibm_runtime.fake_provider import FakeManilaV2
from qiskit_ibm_runtime.json import RuntimeEncoder

from pilot_kernel.resource.kind.vendors import open_qrmi

TOLD = "QRMI_TOLD"
GIVEN = {"QRMI_JOB_QPU_RESOURCES": "fake_manila", "QRMI_JOB_QPU_TYPES": "ibm-quantum-system"}


def _noted(method):
    @functools.wraps(method)
    def call(self, *args):
        with Path(os.environ[TOLD]).open("a") as file:
            file.write(f"{method.__name__}\n")
        return method(self, *args)

    return call


class StandIn:
    """A resource that keeps to the rules: no task without having been acquired."""

    def __init__(self, name="fake_manila", *, accessible=True, status=None, refuses=False):
        self._name, self._accessible, self._refuses = name, accessible, refuses
        self._status = status or qrmi.TaskStatus.Completed
        self._token, self._results = None, {}

    def is_accessible(self):
        return self._accessible

    def resource_id(self):
        return self._name

    @_noted
    def acquire(self):
        if self._refuses:
            raise RuntimeError("somebody else has it")
        assert self._token is None, "acquired twice"
        self._token = uuid.uuid4().hex
        return self._token

    @_noted
    def release(self, token):
        assert token == self._token, "released by somebody else"
        self._token = None

    @_noted
    def task_start(self, payload):
        assert self._token is not None, "a task was started without the resource"
        assert payload.program_id == "sampler"
        asked = json.loads(payload.input)
        pubs = [
            SamplerPub.coerce((qasm3.loads(text), values), shots)
            for text, values, shots in asked["pubs"]
        ]
        assert len({pub.shots for pub in pubs}) == 1
        simulator = AerSimulator.from_backend(FakeManilaV2(), noise_model=None)
        result = SamplerV2.from_backend(simulator).run(pubs).result()
        job = uuid.uuid4().hex
        self._results[job] = json.dumps(result, cls=RuntimeEncoder)
        return job

    def task_stop(self, job):
        self._results.pop(job, None)

    def task_status(self, job):
        return self._status

    def task_result(self, job):
        return SimpleNamespace(value=self._results[job])

    def task_logs(self, job):
        return ""

    def target(self):
        folder = Path(inspect.getfile(FakeManilaV2)).parent
        told = {
            "configuration": json.loads((folder / "conf_manila.json").read_text()),
            "properties": json.loads((folder / "props_manila.json").read_text()),
        }
        told["configuration"]["backend_name"] = self._name
        return SimpleNamespace(value=json.dumps(told))

    def metadata(self):
        return {}


class StandInService:
    """What QRMI's service gives: those resources that can be reached."""

    known = (StandIn(),)

    def resource(self, name):
        found = (r for r in self.known if r.resource_id() == name and r.is_accessible())
        return next(found, None)


def given():
    """The resource that a batch job was given, in whatever process this is called."""
    os.environ.update(GIVEN)
    qrmi.primitives.QRMIService = StandInService
    return open_qrmi(None)
