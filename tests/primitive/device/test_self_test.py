"""The self-test of a device: what passes, what is refused and why, before anything runs there."""

import math
import os
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from qiskit.primitives import BackendSamplerV2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.result.models import ExperimentResultData
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError
from qiskit_ibm_runtime.fake_provider import FakeManilaV2, FakeVigoV2
from scipy.stats import binom

import pilot_kernel
from pilot_kernel.errors import QpuError
from pilot_kernel.primitive.device import self_test
from pilot_kernel.primitive.device.backend import backend_named
from pilot_kernel.primitive.device.provider import registry
from pilot_kernel.primitive.device.provider.registry import Provider
from pilot_kernel.primitive.device.self_test import LEAST_SHARE, SHOTS, check_device, test_once
from pilot_kernel.resource import worker_environment
from tests.circuits.plain import bell, measured
from tests.conftest import wait_until
from tests.primitive.vendor_devices import FORMATS, Terse, Vendor

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "backend",
    [
        AerSimulator(),
        FakeManilaV2(),
        FakeVigoV2(),
        GenericBackendV2(1, ["rz", "sx", "x"], seed=1),
        GenericBackendV2(2, seed=1),
        Terse(FORMATS["hexadecimal"]),
        *(Vendor(data) for data in FORMATS.values()),
    ],
    ids=lambda backend: backend.name,
)
def test_sound_devices_pass_whatever_the_form_of_their_answers(backend):
    check_device(backend)


def test_a_snapshot_passes():
    check_device(backend_named("fake_manila"))


@pytest.mark.parametrize("error", [0.02, 0.12])
def test_noisy_devices_pass(error):
    noise = NoiseModel()
    noise.add_all_qubit_readout_error(ReadoutError([[1 - error, error], [error, 1 - error]]))
    check_device(AerSimulator(noise_model=noise))


def test_the_chances_are_as_stated():
    least = math.ceil(LEAST_SHARE * SHOTS)
    alarm = binom.cdf(least - 1, SHOTS, 0.6)
    assert 2 * alarm < 1e-7
    assert binom.sf(least - 1, SHOTS, 1 / 8) < 1e-18


def _reversed(circuit, counts, memory):
    width = circuit.num_clbits
    return ExperimentResultData(
        memory=[hex(int(format(int(each, 16), f"0{width}b")[::-1], 2)) for each in memory]
    )


def _swapped(circuit, counts, memory):
    """The two registers in the place of each other."""
    numbers = [int(each, 16) for each in memory]
    return ExperimentResultData(memory=[hex(each >> 2 | (each & 3) << 2) for each in numbers])


def _turned(circuit, counts, memory):
    """Each of the two registers with its bits in reverse order."""
    swap = [0, 2, 1, 3]
    numbers = [int(each, 16) for each in memory]
    return ExperimentResultData(memory=[hex(swap[n >> 2] << 2 | swap[n & 3]) for n in numbers])


def _inverted(circuit, counts, memory):
    return ExperimentResultData(memory=[hex(int(each, 16) ^ 15) for each in memory])


class _Offline(Vendor):
    def status(self):
        return type("Status", (), {"operational": False, "status_msg": "being calibrated"})()


class _Mute(Vendor):
    def status(self):
        raise ConnectionError("no route, token s3cr3t-t0ken")


class _Failing(Vendor):
    def run(self, run_input, **options):
        raise RuntimeError("refused s3cr3t-t0ken")


class _Other(Vendor):
    """Returns another number of shots than it is asked for."""

    def run(self, run_input, **options):
        return super().run(run_input, **{**options, "shots": options["shots"] + 1})


@pytest.mark.parametrize(
    ("backend", "complaint"),
    [
        (Vendor(_reversed), "bits come in reverse order: 1000 instead of 0001 .circuit X"),
        (Vendor(_swapped), "bits are mixed up: 0100 instead of 0001 .circuit X"),
        (Vendor(_turned), "bits are mixed up: 0010 instead of 0001 .circuit X"),
        (Vendor(_inverted), r"0 of 200 shots are 0000, .* 200 are 1111 \(circuit .0>\)"),
        (
            Vendor(lambda *_: ExperimentResultData(memory=["0x0"] * SHOTS)),
            r"0 of 200 shots are 0001, at least 40% should be, and 200 are 0000",
        ),
        (
            Vendor(lambda _, counts, memory: ExperimentResultData(memory=memory[1:])),
            "asked for 200 shots and returned 199",
        ),
        (_Other(FORMATS["hexadecimal"]), "asked for 200 shots and returned 201"),
        (Vendor(lambda *_: ExperimentResultData()), "neither counts nor shots"),
        (Vendor(FORMATS["bits"], success=False), "out of order"),
        (_Offline(FORMATS["bits"]), r"vendor is offline \(being calibrated\): wait, or use"),
        (_Mute(FORMATS["bits"]), r"cannot be asked for its status: ConnectionError: no route.*\*"),
        (_Failing(FORMATS["bits"]), r"failed its self-test: RuntimeError: refused \*\*\*"),
    ],
)
def test_others_are_refused_with_the_reason(monkeypatch, backend, complaint):
    monkeypatch.setenv("VENDOR_API_KEY", "s3cr3t-t0ken")
    with pytest.raises(QpuError, match=complaint) as caught:
        check_device(backend)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


class _Sampled(Vendor):
    """A backend that its provider reaches through Qiskit's sampler for any backend."""


@pytest.fixture
def generic(monkeypatch):
    """Have `_Sampled` backends go through Qiskit's `BackendSamplerV2`."""
    provider = Provider(sampler=lambda backend, seed: BackendSamplerV2(backend=backend))
    real = registry._provider

    def found(kind):
        return provider if issubclass(kind, _Sampled) else real(kind)

    monkeypatch.setattr(registry, "_provider", found)


def test_a_backend_without_memory_is_refused_where_zeros_would_be_filled_in(generic):
    with pytest.raises(QpuError, match=r"zeros alone .* no memory, .*Qiskit/qiskit#15694"):
        check_device(_Sampled(FORMATS["bits"]))
    check_device(Vendor(FORMATS["bits"]))  # whose counts are used
    check_device(_Sampled(lambda _, counts, memory: ExperimentResultData(memory=memory)))


def test_and_so_are_reversed_bits_and_other_shots(generic):
    with pytest.raises(QpuError, match="reverse order"):
        check_device(_Sampled(_reversed))
    with pytest.raises(QpuError, match="failed its self-test"):
        check_device(_Sampled(lambda _, counts, memory: ExperimentResultData(memory=memory[1:])))


# ---- once for a pilot


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """What a worker on the agent's machine is told; returns how often a device was tested."""
    (tmp_path / "results").mkdir()
    monkeypatch.setenv(worker_environment.RESULTS, str(tmp_path / "results"))
    tested = []
    monkeypatch.setattr(self_test, "check_device", tested.append)
    return tested


def test_processes_of_one_pilot_test_once_and_those_of_another_anew(workplace):
    for test in ("a", "a", "b", "a"):
        test_once("aer_simulator", test)
    assert len(workplace) == 2


def test_what_has_failed_is_tested_again(workplace, monkeypatch):
    monkeypatch.setattr(self_test, "check_device", _raise)
    with pytest.raises(QpuError, match="offline"):
        test_once("aer_simulator", "a")
    monkeypatch.setattr(self_test, "check_device", workplace.append)
    test_once("aer_simulator", "a")
    assert len(workplace) == 1


def _raise(backend):
    raise QpuError("offline")


def test_others_wait_for_the_one_that_tests(workplace, monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def slow(backend):
        begun.set()
        assert go.wait(60)
        workplace.append(backend)

    monkeypatch.setattr(self_test, "check_device", slow)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(test_once, "aer_simulator", "a")
        assert begun.wait(60)
        second = pool.submit(test_once, "aer_simulator", "a")
        assert not second.done()
        go.set()
        first.result(), second.result()
    assert len(workplace) == 1


def test_a_worker_hands_the_test_out_without_loading_qiskit():
    """Its task process needs it; in the worker's own it would be memory for nothing."""
    code = "import sys, pilot_kernel.primitive.device.preload as p; print('qiskit' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]


def test_a_pilot_whose_device_fails_says_why_and_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with pilot_kernel.Session() as session:
        pilot = session.add_pilot(f"qpu://{__name__}:upside_down", name="wrong")
        wait_until(lambda: "reverse order" in pilot.status.note, 120)
        with pytest.raises(QpuError, match="vendor failed its self-test: its bits come in reverse"):
            session.run(measured(bell()), on="wrong").result()
        sound = session.add_pilot("qpu://aer_simulator", name="right")
        result = session.run(measured(bell()), on="right", shots=50).result()
        assert set(result[0].data.meas.get_counts()) <= {"00", "11"}
        assert sound.status.note == ""


def upside_down():
    """A device whose bits come in reverse order."""
    return Vendor(_reversed)
