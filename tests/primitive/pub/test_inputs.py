"""What people hand to the primitives: it runs rightly, or one clear error says why it does not."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Clbit, Gate, Parameter, ParameterVector
from qiskit.circuit.library import HamiltonianGate, PauliEvolutionGate
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector

from pilot_kernel.errors import PubError
from pilot_kernel.primitive.pub.check import estimator_pubs, has_observables, listed, sampler_pubs
from pilot_kernel.primitive.simulator.prepare import for_simulator
from pilot_kernel.primitive.simulator.state_memory import check_memory
from tests.primitive.in_process import simulated


def _turned(name="t"):
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter(name), 0)
    return circuit


def test_no_pubs_give_an_empty_result(session):
    for primitive in (session.sampler(), session.estimator()):
        result = primitive.run([]).result()
        assert len(result) == 0
        assert result.metadata == {"version": 2}


def test_a_circuit_or_a_generator_of_pubs_will_do(session):
    circuit = QuantumCircuit(1)
    circuit.x(0)
    measured = circuit.measure_all(inplace=False)
    (first,) = session.sampler().run(measured, shots=3).result()
    (second,) = session.sampler().run((measured for _ in range(1)), shots=3).result()
    assert first.data.meas.get_counts() == second.data.meas.get_counts() == {"1": 3}


def test_sweeps_of_no_points_have_no_values(session):
    measured = _turned().measure_all(inplace=False)
    nothing = np.zeros((0, 1))
    pubs = [(measured, nothing), (measured, [[np.pi]]), (measured, np.zeros((2, 0, 1)))]
    empty, first, second = session.sampler().run(pubs, shots=10).result()
    assert empty.data.meas.shape == (0,)
    assert empty.data.meas.num_shots == 10
    assert first.data.meas.get_counts(0) == {"1": 10}
    assert second.data.meas.shape == (2, 0)
    pubs = [(_turned(), "Z", nothing), (_turned(), ["Z", "X"], np.zeros((0, 1, 1)))]
    for pub, result in zip(pubs, session.estimator().run(pubs).result(), strict=True):
        expected = StatevectorEstimator().run([pub]).result()[0].data
        assert result.data.evs.shape == expected.evs.shape
        assert result.data.stds.shape == expected.stds.shape


def test_the_primitives_tell_their_defaults(session):
    sampler = session.sampler(default_shots=7, seed=3)
    assert (sampler.default_shots, sampler.seed) == (7, 3)
    assert session.estimator().default_precision == 0
    assert session.estimator(default_precision=0.25).default_precision == 0.25
    generator = np.random.default_rng(1)
    estimator = session.estimator(default_precision=0.1, seed=generator)
    assert estimator.seed is generator
    values = [estimator.run([(_turned(), "Z", [0.0])]).result()[0].data.evs for _ in range(2)]
    assert values[0] != values[1]
    with pytest.raises(PubError, match="seed=-1"):
        session.sampler(seed=-1).run([(_turned().measure_all(inplace=False), [0.0])])


@pytest.mark.parametrize("name", ["r", "X", "l", "Z"])
def test_a_mapping_gives_values_to_parameters_whatever_their_names(name):
    measured = _turned(name).measure_all(inplace=False)
    for pub in [(measured, {name: 0.3}), (measured, {(name,): [0.3]}), (measured, {name: 0.3}, 5)]:
        assert not has_observables(listed([pub]))
    assert has_observables([(_turned(name), {name: 1.0}, [0.3])])
    vector = QuantumCircuit(1)
    vector.rx(ParameterVector(name, 1)[0], 0)
    assert not has_observables([(vector, {name: [0.3]})])


def _loose():
    circuit = QuantumCircuit([*QuantumRegister(1)], [Clbit()])
    circuit.measure(0, 0)
    return circuit


def _aliased():
    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit(QuantumRegister(1), bits)
    circuit.add_register(ClassicalRegister(bits=bits, name="a"))
    circuit.add_register(ClassicalRegister(bits=bits[::2], name="b"))
    circuit.measure(0, 0)
    return circuit


def _named(name):
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, name))
    circuit.measure(0, 0)
    return circuit


def _holding(gate):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit.measure_all(inplace=False)


_ANGLE = Parameter("angle")


@pytest.mark.parametrize(
    ("pub", "complaint"),
    [
        (_loose(), "1 classical bits that are in no register"),
        (_aliased(), "register 'b' that shares bits"),
        (_named("items"), "register 'items'"),
        (_named("shape"), "register 'shape'"),
        (_holding(Gate("magic", 2, [])), "instruction 'magic' without a definition"),
        (
            (_holding(HamiltonianGate(np.eye(2), _ANGLE)), [1.0]),
            "'hamiltonian' that is not defined",
        ),
        ((_turned().measure_all(inplace=False), [float("nan")]), "parameter 't' is nan"),
        ((_turned().measure_all(inplace=False), [[1.0], [float("inf")]]), "parameter 't' is inf"),
    ],
)
def test_what_cannot_run_is_refused_beforehand(pub, complaint):
    with pytest.raises(PubError, match=complaint):
        for_simulator(sampler_pubs([pub], 10), "automatic")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (({"Z": float("nan")}, [1.0]), "coefficient that is no finite number"),
        (({"Z": float("inf")}, [1.0]), "coefficient that is no finite number"),
        (("Z", [1.0], float("inf")), "precision=inf: a finite number"),
        (("0*Z0", [1.0]), "an observable is zero"),
        (("1e400*Z0", [1.0]), "column 1: the number is too large"),
        (("Z", [10**400]), "parameter values are numbers"),
    ],
)
def test_estimates_of_no_numbers_are_refused(rest, said):
    with pytest.raises(PubError, match=f"PUB 0: .*{said}"):
        estimator_pubs([(_turned(), *rest)], 0.0)


def test_an_angle_without_a_value_is_refused():
    circuit = QuantumCircuit(1)
    circuit.rx(1 / _ANGLE, 0)
    for value in (0.0, [[1.0], [0.0]]):
        pubs = estimator_pubs([(circuit, "Z", value)], 0)
        with pytest.raises(PubError, match="no finite real value"):
            for_simulator(pubs, "automatic")


def test_methods_that_are_none_are_refused():
    pubs = estimator_pubs([(_turned(), "Z", [0.0])], 0)
    with pytest.raises(PubError, match="method='magic': one of automatic"):
        for_simulator(pubs, "magic")
    with pytest.raises(PubError, match="gives no expectation values"):
        for_simulator(pubs, "extended_stabilizer")
    with pytest.raises(PubError, match=r"precision=inf"):
        estimator_pubs([(_turned(), "Z", [0.0])], float("inf"))


def test_bits_in_no_register_may_serve_feed_forward():
    circuit = QuantumCircuit([*QuantumRegister(2)], [Clbit()])
    circuit.add_register(ClassicalRegister(1, "c"))
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    assert simulated([SamplerPub.coerce(circuit, 9)])[0].data.c.get_counts() == {"1": 9}


def test_registers_of_different_widths_keep_their_bits():
    circuit = QuantumCircuit(
        QuantumRegister(3), ClassicalRegister(10, "a"), ClassicalRegister(0, "none")
    )
    circuit.add_register(ClassicalRegister(3, "b"))
    circuit.x([0, 2])
    circuit.measure([0, 1, 2], [9, 0, 12])
    data = simulated([SamplerPub.coerce(circuit, 4)])[0].data
    assert data.a.get_int_counts() == {512: 4}
    assert data.b.get_int_counts() == {4: 4}
    assert (data.none.num_bits, data.none.num_shots) == (0, 4)


def test_an_evolution_is_its_product_formula():
    operator = SparsePauliOp(["XX", "ZI", "IZ", "YY"], [0.9, 0.8, 0.5, 0.3])
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    circuit.append(PauliEvolutionGate(operator, time=1.3), [0, 1])
    exact = Statevector(circuit.decompose()).expectation_value(SparsePauliOp("XY")).real
    found = simulated([EstimatorPub.coerce((circuit, "XY"), 0.0)])[0].data.evs
    assert found == pytest.approx(exact, abs=1e-9)


def test_idle_qubits_cost_nothing():
    device = GenericBackendV2(40, seed=1)
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    wide = transpile(circuit, device, optimization_level=1, seed_transpiler=1)
    operator = SparsePauliOp(["ZI", "XY", "YX", "XX"], [1.0, 0.2, 0.3, 0.4])
    exact = Statevector(circuit).expectation_value(operator).real
    onto = operator.apply_layout(wide.layout)
    idle = next(q for q in range(40) if q not in wide.layout.final_index_layout())
    label = ["I"] * 40
    label[39 - idle] = "X"
    pubs = estimator_pubs([(wide, [onto, "".join(label), "0" * 40])], 0)
    (written,) = for_simulator(pubs, "automatic")
    assert written.circuit.num_qubits == 2
    assert np.allclose(simulated(pubs)[0].data.evs, [exact, 0, np.cos(0.35) ** 2])
    wide.measure_all()
    (written,) = for_simulator(sampler_pubs([wide], 50), "automatic")
    assert written.circuit.num_qubits == 2
    counts = simulated([SamplerPub.coerce(wide, 50)])[0].data.meas.get_counts()
    assert sum(counts.values()) == 50
    assert all(len(key) == 40 for key in counts)


def test_projectors_on_too_many_qubits_are_refused():
    circuit = QuantumCircuit(40)
    circuit.h(range(40))
    with pytest.raises(PubError, match="projectors"):
        for_simulator(estimator_pubs([(circuit, "0" * 40)], 0), "stabilizer")


def test_a_circuit_of_idle_qubits_only_has_values():
    circuit = QuantumCircuit(40, 40)
    circuit.measure(range(40), range(40))
    assert simulated([SamplerPub.coerce(circuit, 3)])[0].data.c.get_int_counts() == {0: 3}
    pub = EstimatorPub.coerce((circuit, ["Z" * 40, "I" * 39 + "X", "0" * 40]), 0.0)
    assert np.allclose(simulated([pub])[0].data.evs, [1, 0, 1])


class _Small:
    name, memory_per_worker_bytes = "small", 2**30


@pytest.mark.parametrize("method", ["automatic", "density_matrix", "matrix_product_state"])
def test_a_circuit_without_qubits_has_values(method):
    phase = Parameter("phase")
    circuit = QuantumCircuit(global_phase=phase)
    observables = [SparsePauliOp(""), SparsePauliOp("", 2.5)]
    pub = EstimatorPub.coerce((circuit, [[each] for each in observables], [0.1, 0.2, 0.3]), 0.0)
    assert np.array_equal(simulated([pub], method)[0].data.evs, [[1] * 3, [2.5] * 3])


def test_only_what_is_clifford_may_be_wide():
    circuit = QuantumCircuit(60, 1)
    circuit.h(range(60))
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.append(QuantumCircuit(1, name="t").to_gate(), [5])
        circuit.x(59)
    pubs = for_simulator(sampler_pubs([circuit.measure_all(inplace=False)], 5), "automatic")
    check_memory(pubs, "automatic", [_Small()])
    pretender = QuantumCircuit(1, name="h")
    pretender.t(0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.append(pretender.to_gate(), [5])
    pubs = for_simulator(sampler_pubs([circuit.measure_all(inplace=False)], 5), "automatic")
    with pytest.raises(PubError, match="60 qubits: its state vector"):
        check_memory(pubs, "automatic", [_Small()])


def _random_terms(width, count, rng):
    labels = ["".join(row) for row in rng.choice(list("IXYZ"), (count, width))]
    return SparsePauliOp(labels, rng.normal(size=count))


@pytest.mark.parametrize("method", ["automatic", "matrix_product_state"])
@pytest.mark.parametrize(("width", "terms"), [(1, 9), (5, 300), (6, 7)])
def test_many_terms_and_observables_are_summed_rightly(method, width, terms):
    rng = np.random.default_rng(terms)
    circuit = QuantumCircuit(width)
    angles = ParameterVector("a", width)
    for qubit in range(width):
        circuit.u(angles[qubit], 0.4, qubit, qubit)
        circuit.cx(qubit, (qubit + 1) % width) if width > 1 else None
    observables = [[_random_terms(width, terms, rng)], ["Z" * width], ["I" * width]]
    values = rng.uniform(-3, 3, (4, width))
    pub = EstimatorPub.coerce((circuit, observables, values), 0.0)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    assert np.allclose(simulated([pub], method)[0].data.evs, exact, atol=1e-7)


def test_wide_circuits_with_many_terms_go_to_aer():
    rng = np.random.default_rng(4)
    circuit = QuantumCircuit(15)
    for qubit in range(15):
        circuit.ry(0.1 * qubit + 0.2, qubit)
    for qubit in range(14):
        circuit.cx(qubit, qubit + 1)
    pub = EstimatorPub.coerce((circuit, [_random_terms(15, 30, rng), "Z" * 15]), 0.0)
    exact = StatevectorEstimator().run([pub]).result()[0].data.evs
    assert np.allclose(simulated([pub])[0].data.evs, exact)
