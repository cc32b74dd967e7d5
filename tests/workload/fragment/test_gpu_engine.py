"""From `on="gpu"` down to the true kernels, which g++ has compiled for this processor."""

import sys

import numpy as np
import pytest

from pilot_kernel.primitive.simulator import state_engines
from pilot_kernel.primitive.simulator.run import Settings
from pilot_kernel.primitive.simulator.state_engines import StateWork
from qdreamer_lab import CutEstimator
from qdreamer_lab.errors import GpuError, MemoryLimitError
from qdreamer_lab.workload.uncut.state.simulator import SIMULATOR
from tests.circuits.drawn import random_circuit
from tests.engine.gpu.conftest import kernels_library
from tests.engine.gpu.fake_cupy import DeviceArray, FakeCupy

__all__ = ["kernels_library"]  # a fixture

NO_VALUES = np.empty((1, 0))


class WholeCupy(FakeCupy):
    """CuPy's stand-in with NumPy's functions besides the kernels, all for arrays on the device."""

    def __getattr__(self, name):
        function = getattr(np, name)

        def on_device(*args, **kwargs):
            plain = [type(each) is np.ndarray and each.ndim for each in args]
            assert not any(plain), f"cupy.{name} of an array of the host's"
            found = function(*args, **kwargs)
            return found.view(DeviceArray) if isinstance(found, np.ndarray) else found

        return on_device


@pytest.fixture
def whole_gpu(kernels_library, monkeypatch):
    fake = WholeCupy(kernels_library)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    return fake


@pytest.mark.parametrize("dtype", ["complex128", "complex64"])
@pytest.mark.parametrize("width", [3, 5, 7])
def test_an_estimator_gets_the_values_of_the_processor(whole_gpu, width, dtype):
    circuit = random_circuit(7, 7, 14, general=True)
    observables = ["ZZIXYIZ", "01+-rIl", {"IIIIZII": 0.5, "YIIIIIY": 2.0}]
    options = {"dtype": dtype, "seed": 1}
    here = CutEstimator(width, **options).run([(circuit, observables)]).result()[0].data.evs
    assert not whole_gpu.launches
    found = CutEstimator(width, on="gpu", **options).run([(circuit, observables)]).result()[0]
    atol = 1e-12 if dtype == "complex128" else 1e-5
    np.testing.assert_allclose(found.data.evs, here, atol=atol)
    assert whole_gpu.launches


def test_whole_circuits_have_the_values_and_outcomes_of_the_processor(whole_gpu):
    circuit = random_circuit(3, 6, 12, general=True)
    rng = np.random.default_rng(2)
    x, z = rng.random((2, 5, 6)) < 0.5
    here, there = (
        SIMULATOR.pauli_values(StateWork(circuit, NO_VALUES, device), x, z)
        for device in ("CPU", "GPU")
    )
    np.testing.assert_allclose(there, here, atol=1e-12)
    here, there = (
        SIMULATOR.draws(StateWork(circuit, NO_VALUES, device), [5, 0, 3], 2000, 4)
        for device in ("CPU", "GPU")
    )
    np.testing.assert_array_equal(there, here)
    assert whole_gpu.launches


def test_memory_of_the_gpu_is_what_counts(whole_gpu):
    circuit = random_circuit(3, 10, 12)
    work = StateWork(circuit, NO_VALUES, "GPU")
    whole_gpu.memory_bytes = 1 << 12
    ones = np.ones((1, 10), bool)
    with pytest.raises(MemoryLimitError, match=r"may be used on the GPU"):
        SIMULATOR.pauli_values(work, ~ones, ones)
    with pytest.raises(MemoryLimitError, match=r"may be used on the GPU"):
        SIMULATOR.draws(work, range(10), 5, 1)
    with pytest.raises(MemoryLimitError, match="may be used"):
        CutEstimator(10, on="gpu").run([(circuit, "Z" * 10)]).result()


def test_no_gpu_is_an_error_before_anything_is_simulated(whole_gpu, monkeypatch):
    whole_gpu.cuda.runtime.getDeviceCount = lambda: 0
    circuit = random_circuit(3, 6, 12)
    with pytest.raises(GpuError, match="sees no GPU"):
        SIMULATOR.draws(StateWork(circuit, NO_VALUES, "GPU"), [0], 5, 1)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(GpuError, match=r"pip install 'qdreamer-lab\[gpu\]'"):
        CutEstimator(6, on="gpu").run([(circuit, "ZZZZZZ")]).result()


def test_primitives_go_there_through_the_pilots_settings(whole_gpu, monkeypatch):
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    from pilot_kernel.primitive.pub.pieces import cut
    from pilot_kernel.primitive.pub.shipment import pack
    from pilot_kernel.primitive.simulator.prepare import for_simulator
    from pilot_kernel.primitive.simulator.run import simulate_all

    monkeypatch.setattr(state_engines, "registered", lambda: (SIMULATOR,))
    circuit = random_circuit(3, 4, 12)
    sampled = circuit.copy()
    sampled.measure_all()
    for pub in (EstimatorPub.coerce((circuit, ["ZZZZ", "XIYI"]), 0.0), (sampled, None, 500)):
        coerced = pub if isinstance(pub, EstimatorPub) else SamplerPub.coerce(pub)
        pieces = cut(for_simulator([coerced], "automatic"), seed=3)
        before = len(whole_gpu.launches)
        (found,) = simulate_all(pack(pieces), Settings("automatic", "GPU"))
        assert found.metadata["simulator"] == "qdreamer-lab"
        assert len(whole_gpu.launches) > before
