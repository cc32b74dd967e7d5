"""PUBs on a state engine, against Aer and Qiskit; the engine here is Qiskit's own `Statevector`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import Pauli, Statevector

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.pub.observables import in_paulis
from pilot_kernel.primitive.pub.pieces import cut
from pilot_kernel.primitive.pub.shipment import pack
from pilot_kernel.primitive.simulator import state_engines
from pilot_kernel.primitive.simulator.on_engine import check_gpu
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.run import Settings, simulate_all
from tests.circuits.drawn import random_circuit
from tests.circuits.plain import bell, ghz, measured
from tests.primitive.in_process import assert_drawn_from, simulated


class Dense:
    """A `StateEngine` that takes everything but what `reason` is about."""

    name = "dense"

    def __init__(self, reason=None):
        self.reason = reason
        self.devices = []

    def refusal(self, circuit, sets, device, *, sampled):
        return self.reason

    def pauli_values(self, work, x, z):
        return np.array(
            [
                [state.expectation_value(Pauli((z[k], x[k]))).real for k in range(len(x))]
                for state in self._states(work)
            ]
        )

    def draws(self, work, qubits, shots, seed):
        random = np.random.default_rng(seed)
        found = []
        for state in self._states(work):
            probabilities = np.abs(state.data) ** 2
            outcomes = random.choice(len(probabilities), shots, p=probabilities)
            found.append(sum((outcomes >> q & 1) << bit for bit, q in enumerate(qubits)))
        return np.array(found, np.int64)

    def _states(self, work):
        self.devices.append(work.device)
        for row in work.values:
            yield Statevector(work.circuit.assign_parameters(row))


@pytest.fixture
def use(monkeypatch):
    """Have these engines, and no others, registered."""

    def put(*engines):
        monkeypatch.setattr(state_engines, "registered", lambda: engines)
        return engines[0] if engines else None

    return put


def run(pub, method="statevector", seed=5, device="CPU"):
    """The one result of a PUB that is run here."""
    pieces = cut(for_simulator([pub], method), seed=seed)
    return simulate_all(pack(pieces), Settings(method, device))[0]


@pytest.mark.parametrize("precision", [0.0, 0.1])
@pytest.mark.parametrize(
    ("shape", "observables"),
    [
        ((), ["ZZZ", {"XIY": 0.5, "0+l": 2.0}]),
        ((3,), [["ZZZ"], [{"XIY": 0.5, "0+l": 2.0}]]),
        ((300,), "ZXZ"),
        ((2, 1), ["ZZZ", {"XIY": 0.5, "III": 2.0}, "YII"]),
    ],
)
def test_values_and_their_noise_are_those_of_aer(use, precision, shape, observables):
    circuit = efficient_su2(3, reps=1)
    values = np.random.default_rng(1).random((*shape, circuit.num_parameters))
    pub = EstimatorPub.coerce((circuit, observables, values), precision)
    use()
    aer = run(pub)
    use(Dense())
    found = run(pub)
    np.testing.assert_allclose(found.data.evs, aer.data.evs, atol=1e-9)
    np.testing.assert_array_equal(found.data.stds, aer.data.stds)
    assert (found.metadata["simulator"], aer.metadata["simulator"]) == ("dense", "aer")
    assert found.metadata["target_precision"] == precision
    if not precision:
        paulis = EstimatorPub(circuit, in_paulis(pub.observables), pub.parameter_values, 0.0)
        expected = StatevectorEstimator().run([paulis]).result()[0].data.evs
        np.testing.assert_allclose(found.data.evs, expected, atol=1e-9)


def test_measurements_in_the_middle_of_an_estimate_are_deferred_for_engines_too(use):
    circuit = QuantumCircuit(2, 1)
    circuit.ry(0.7, 0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    use(Dense())
    found = run(EstimatorPub.coerce((circuit, ["ZI", "XX", "ZZ"]), 0.0))
    assert found.metadata["simulator"] == "dense"
    np.testing.assert_allclose(found.data.evs, [np.cos(0.7), 0, 1], atol=1e-12)


def registers():
    """Registers of several sizes, one empty; bits that nothing or two things are written to."""
    qubits = QuantumRegister(3, "q")
    low, none, high = (ClassicalRegister(*args) for args in ((2, "low"), (0, "none"), (10, "high")))
    circuit = QuantumCircuit(qubits, low, none, high)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.measure(2, 0)
    circuit.measure(0, 0)  # the last one counts
    circuit.measure(1, high[9])
    circuit.measure(1, high[3])
    circuit.ry(2.1, 2)
    circuit.barrier()
    return circuit


def test_bits_are_where_they_were_measured_into(use):
    circuit = registers()
    circuit.measure(2, 1)  # qubit 2 was measured before a gate acted on it
    use(Dense())
    assert run(SamplerPub.coerce((circuit, [0.4], 10))).metadata["simulator"] == "aer"

    angles = np.array([[[0.0], [np.pi]], [[1.2], [2.0]]])
    found = run(SamplerPub.coerce((registers(), angles, 4000)))
    assert found.metadata["simulator"] == "aer"  # so it was here

    plain = QuantumCircuit(*registers().qregs, *registers().cregs)
    plain.ry(Parameter("a"), 0)
    plain.cx(0, 1)
    for qubit, bit in ((2, 0), (0, 0), (1, 11), (1, 5)):
        plain.measure(qubit, bit)
    pub = SamplerPub.coerce((plain, angles, 4000))
    found = run(pub)
    assert found.metadata["simulator"] == "dense"
    assert found.metadata["shots"] == 4000
    data = found.data
    assert data.low.array.shape == (2, 2, 4000, 1)
    assert (data.none.num_bits, data.none.array.shape) == (0, (2, 2, 4000, 0))
    assert (data.high.num_bits, data.high.array.shape) == (10, (2, 2, 4000, 2))
    for place in np.ndindex(2, 2):
        one = np.sin(angles[place][0] / 2) ** 2
        both = data.high[place].get_int_counts()
        assert set(both) <= {0, 0b1000001000}
        assert_drawn_from({key // 0b1000001000: n for key, n in both.items()}, [1 - one, one])
        low = np.asarray(data.low[place].array)[:, 0]
        high = np.asarray(data.high[place].array)[:, 1] >> 3 & 1
        np.testing.assert_array_equal(low, high)  # qubits 0 and 1 are the same in every shot


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000), st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
def test_counts_follow_the_state(seed, qubits):
    circuit = random_circuit(seed, 4, general=True)
    probabilities = Statevector(circuit).probabilities(qubits)
    circuit.add_register(ClassicalRegister(len(qubits), "c"))
    circuit.measure(qubits, range(len(qubits)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_engines, "registered", lambda: (Dense(),))
        found = simulated([SamplerPub.coerce(circuit, 3000)], "statevector")[0]
    assert found.metadata["simulator"] == "dense"
    assert_drawn_from(found.data.c.get_int_counts(), probabilities)


def test_a_circuit_without_a_use_for_its_values_is_drawn_from_for_each(use):
    circuit = QuantumCircuit(1, 1)
    circuit.rz(Parameter("a"), 0)
    circuit.rz(0.1, 0)
    circuit.h(0)
    circuit.measure(0, 0)
    plain = QuantumCircuit(1, 1)
    plain.h(0)
    plain.measure(0, 0)
    use(Dense())
    for each in (circuit, plain):
        free = len(each.parameters)
        found = run(SamplerPub.coerce((each, np.zeros((7, free)), 50)))
        assert found.metadata["simulator"] == "dense"
        assert found.data.c.array.shape == (7, 50, 1)
        assert len({row.tobytes() for row in found.data.c.array}) == 7


def conditional():
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 0)
    return circuit


def reset_midway():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.reset(0)
    circuit.measure(0, 0)
    return circuit


def test_what_an_engine_or_its_method_is_not_for_runs_on_aer(use):
    use(Dense(reason="is too nice"))
    assert run(EstimatorPub.coerce((bell(), "ZZ"), 0.0)).metadata["simulator"] == "aer"
    use(Dense())
    assert run(SamplerPub.coerce(conditional(), 10)).metadata["simulator"] == "aer"
    for method in ("matrix_product_state", "density_matrix", "automatic"):  # Clifford
        found = run(EstimatorPub.coerce((ghz(3), "ZZI"), 0.0), method)
        assert found.metadata["simulator"] == "aer"
        assert found.data.evs == pytest.approx(1)
    use(Dense(reason="is too nice"), Dense())
    assert run(EstimatorPub.coerce((bell(), "ZZ"), 0.0)).metadata["simulator"] == "dense"


def test_on_a_gpu_everything_goes_to_the_engine(use):
    engine = use(Dense())
    for method in ("automatic", "statevector"):
        for pub in (
            EstimatorPub.coerce((bell(), "ZZ"), 0.0),
            SamplerPub.coerce(measured(bell()), 10),
        ):
            check_gpu(for_simulator([pub], method), method)
            assert run(pub, method, device="GPU").metadata["simulator"] == "dense"
    assert engine.devices == ["GPU"] * 4


@pytest.mark.parametrize(
    ("pub", "method", "engines", "complaint"),
    [
        (SamplerPub.coerce(conditional(), 9), "automatic", (Dense(),), "PUB 0 has control flow"),
        (
            SamplerPub.coerce(registers().assign_parameters([1.0]), 9),
            "automatic",
            (Dense(),),
            "PUB 0 acts on a qubit with 'ry' after it was measured.*on='cpu'",
        ),
        (
            EstimatorPub.coerce((bell(), "ZZ"), 0.0),
            "matrix_product_state",
            (Dense(),),
            "method='matrix_product_state': on GPUs circuits are run as state vectors",
        ),
        (
            EstimatorPub.coerce((bell(), "ZZ"), 0.0),
            "automatic",
            (),
            r"no installed package .* pip install 'qdreamer-lab\[gpu\]'",
        ),
        (
            EstimatorPub.coerce((bell(), "ZZ"), 0.0),
            "automatic",
            (Dense("is too nice"), Dense("is blue")),
            "PUB 0 cannot run on a GPU: it is too nice; it is blue; run it on='cpu'",
        ),
    ],
)
def test_what_no_gpu_runs_is_refused_early_and_never_goes_elsewhere(
    use, pub, method, engines, complaint
):
    use(*engines)
    with pytest.raises(PubError, match=complaint):
        check_gpu(for_simulator([pub], method), method)
    with pytest.raises(PubError, match=complaint):
        run(pub, method, device="GPU")


def test_an_engine_that_cannot_be_loaded_is_left_out(monkeypatch, caplog):
    class Point:
        def __init__(self, name, found):
            self.name, self.value, self._found = name, f"somewhere:{name}", found

        def load(self):
            if isinstance(self._found, Exception):
                raise self._found
            return self._found

    dense = Dense()
    points = [Point("z", dense), Point("b", ImportError("gone"))]
    monkeypatch.setattr(state_engines, "entry_points", lambda group: points)
    state_engines.registered.cache_clear()
    try:
        assert state_engines.registered() == (dense,)
        assert "simulator b (somewhere:b) cannot be loaded: gone" in caplog.text
    finally:
        state_engines.registered.cache_clear()
