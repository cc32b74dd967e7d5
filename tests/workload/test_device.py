"""Variants on devices: spliced circuits do what simulators compute, and failures say why."""

import pickle
import sys
import types

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import CXGate
from qiskit.providers import BackendV2, Options
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Statevector
from qiskit.transpiler import Target
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeManilaV2, FakeVigoV2
from small_circuits import random_circuit, random_labels, random_unitary

from qdreamer_lab.errors import CircuitError, DeviceError
from qdreamer_lab.workload import transpiling
from qdreamer_lab.workload.blocks import to_blocks
from qdreamer_lab.workload.device import check_device, run_on_device, run_on_this_qpu
from qdreamer_lab.workload.lowering import lower
from qdreamer_lab.workload.observables import as_sparse, product_terms
from qdreamer_lab.workload.plan import CutPlan
from qdreamer_lab.workload.sampling import Batch, ShotRequest, exact_tensor
from qdreamer_lab.workload.splice import splice
from qdreamer_lab.workload.template import fragment_circuit
from qdreamer_lab.workload.transpiling import Transpiling, transpiled

LINE = [[0, 1], [1, 2], [2, 3], [3, 4]]


def line(*gates):
    """Five qubits in a row, to transpile for."""
    return GenericBackendV2(5, list(gates), coupling_map=LINE, seed=3, noise_info=False)


IDEAL = AerSimulator()
DEVICES = {
    "ideal": IDEAL,
    "line": line("rz", "sx", "x", "cx"),
    "fractional": line("rx", "rz", "cz", "rzz"),
}


class Elsewhere(BackendV2):
    """A device that is not known to be a simulator, and may be out of order."""

    def __init__(self, target=None, error=None):
        super().__init__(name="elsewhere")
        self._target = target or AerSimulator().target
        self._error = error
        self.jobs = []

    target = property(lambda self: self._target)
    max_circuits = None

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, run_input, **options):
        if self._error is not None:
            raise self._error
        self.jobs.append((len(run_input), options["shots"]))
        return AerSimulator().run(run_input, **options)


def lowered(circuit, labels, observables, *, joint=False, cost="lo"):
    blocks = to_blocks(circuit)
    plan = CutPlan(blocks, np.array(labels), np.zeros(len(blocks.lone), dtype=int) - 1, 9, cost)
    terms = [product_terms(o) for o in as_sparse(observables, circuit.num_qubits)]
    return lower(plan, terms, joint=joint)


def chain(*, wire):
    """Three qubits in a row, cut between the last two: gate or wire."""
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.ry(0.4, 2)
    circuit.cx(0, 1)
    circuit.rx(0.3, 1)
    circuit.cx(1, 2)
    circuit.ry(0.5, 1)
    labels = [[0, 0], [1, 1]] if wire else [[0, 0], [0, 1]]
    return circuit, lowered(circuit, labels, ["ZZZ", "XIY", "IX0"])


def templates(circuit, run, backend, level=1):
    return [
        transpiled(fragment_circuit(circuit, run.plan, f.program), backend, Transpiling(level))
        for f in run.fragments
    ]


def every_variant(fragment, shots, seed=1):
    count = fragment.num_variants
    return ShotRequest(np.arange(count), np.full(count, shots), (seed, fragment.program.id))


def distribution(spliced):
    """(outcomes, bit strings) of a circuit, exactly: every measurement is put off to the end."""
    circuit = spliced.circuit
    qubits = sorted({circuit.find_bit(q).index for step in circuit.data for q in step.qubits})
    place = {qubit: k for k, qubit in enumerate(qubits)}
    later = QuantumCircuit(len(qubits) + circuit.num_clbits)
    bits = range(len(qubits), later.num_qubits)
    for step in circuit.data:
        on = [place[circuit.find_bit(q).index] for q in step.qubits]
        if step.name == "measure":
            later.cx(on[0], bits[circuit.find_bit(step.clbits[0]).index])
        else:
            later.append(step.operation, on)
    weights = Statevector(later).probabilities(list(bits)) if len(bits) else np.ones(1)
    strings = (np.arange(len(weights))[:, None] >> np.arange(len(bits))) & 1
    out = np.zeros(1 << (spliced.num_outcome_bits + spliced.num_local))
    np.add.at(out, spliced.hits(strings.astype(bool)), weights)
    return out.reshape(1 << spliced.num_outcome_bits, -1)


def wanted(batch, variant, measured):
    """What a simulator makes of the variant, over the qubits that are measured."""
    full = batch.probabilities(variant)
    mask = sum(1 << qubit for qubit in measured)
    out = np.zeros_like(full)
    for string in range(full.shape[1]):
        out[:, string & mask] += full[:, string]
    return out


def assert_same(circuit, run, backend, level, values=None, picked=5, made=None):
    for k, fragment in enumerate(run.fragments):
        template = (made or templates(circuit, run, backend, level))[k].bound(values or {})
        batch = Batch(fragment)
        count = fragment.num_variants
        some = np.random.default_rng(k).choice(count, min(picked, count), replace=False)
        for variant in some.tolist():
            spliced = splice(fragment, template, variant)
            expected = wanted(batch, variant, spliced.measured)
            np.testing.assert_allclose(distribution(spliced), expected, atol=1e-9)


@pytest.mark.parametrize("level", [1, 3])
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", [0, 2, 4])
def test_spliced_circuits_do_what_simulators_compute(seed, device, level):
    # Random SU(4) blocks, SWAPs and rotations; gate and wire cuts at once.
    circuit = random_circuit(seed, 4, 5, general=True)
    pairs = to_blocks(circuit).pairs
    run = lowered(circuit, random_labels(pairs, np.random.default_rng(seed), 2), ["ZXYl", "IZ+X"])
    assert_same(circuit, run, DEVICES[device], level)


@pytest.mark.parametrize("wire", [False, True])
def test_every_variant_of_one_cut(wire):
    circuit, run = chain(wire=wire)
    assert_same(circuit, run, DEVICES["line"], 2, picked=99)


def test_a_cut_block_of_full_rank():
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.unitary(random_unitary(np.random.default_rng(5)), [2, 1])
    circuit.cx(0, 1)
    run = lowered(circuit, [[0, 0], [0, 1], [0, 0]], ["ZZZ"])
    assert_same(circuit, run, DEVICES["line"], 3, picked=99)


def test_routing_moves_cuts_along():
    # A ring on a line: qubits have to be swapped between the cuts.
    circuit = QuantumCircuit(6)
    circuit.ry(0.5, range(6))
    labels = []
    for one, two in [
        (0, 2),
        (1, 3),
        (0, 4),
        (0, 5),
        (2, 4),
        (1, 4),
        (1, 5),
        (3, 0),
        (2, 1),
        (2, 5),
    ]:
        circuit.cx(one, two)
        circuit.rx(0.3, one)
        labels.append([0, int(two == 5)])
    run = lowered(circuit, labels, ["ZZYXZZ"])
    for level in (1, 3):
        (inner, _) = templates(circuit, run, DEVICES["line"], level)
        pairs = {
            tuple(sorted(inner.circuit.find_bit(q).index for q in step.qubits))
            for step in inner.circuit.data
            if len(step.qubits) == 2
        }
        assert pairs <= set(map(tuple, LINE))
        assert len({place.qubit for place in inner.places}) > 1
        assert_same(circuit, run, DEVICES["line"], level, picked=4)


@pytest.mark.parametrize("wire", [False, True])
def test_shots_agree_with_exact_tensors(wire):
    circuit, run = chain(wire=wire)
    tensors = []
    for fragment, template in zip(
        run.fragments, templates(circuit, run, DEVICES["line"]), strict=True
    ):
        found = run_on_device(fragment, template, every_variant(fragment, 4000), IDEAL)
        away = found.tensor.mean - exact_tensor(fragment)
        error = np.sqrt(np.square(found.tensor.deviations).sum(axis=0))
        assert (np.abs(away) <= 5 * error + 1e-12).all()
        assert found.tensor.shots == 4000 * fragment.num_variants
        tensors.append(found.tensor.mean)
    state = Statevector(circuit)
    truth = [state.expectation_value(o).real for o in as_sparse(["ZZZ", "XIY"], 3)]
    np.testing.assert_allclose(run.gluing.values(tensors)[:2], truth, atol=0.15)


def test_a_request_gives_the_same_however_it_is_split():
    circuit, run = chain(wire=False)
    fragment = run.fragments[0]
    template = templates(circuit, run, IDEAL)[0]
    count = fragment.num_variants
    shots = np.where(np.arange(count) < 5, 70, 130)

    def part(start, stop):
        request = ShotRequest(np.arange(start, stop), shots[start:stop], (4, 2), first=start)
        return run_on_device(fragment, template, request, IDEAL).tensor

    whole = part(0, count)
    split = part(0, 2) + part(2, 6) + part(6, count)
    np.testing.assert_allclose(split.mean, whole.mean, atol=1e-12)
    np.testing.assert_array_equal(part(0, count).mean, whole.mean)


def test_noise_shows():
    circuit = QuantumCircuit(4)
    circuit.h(0)
    for k in range(6):
        circuit.cx(k % 2, k % 2 + 1)
    circuit.cx(2, 3)
    run = lowered(circuit, [[0, 0]] * 6 + [[0, 1]], ["IIZZ", "IZZZ"])
    device = FakeManilaV2()
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    found = run_on_device(fragment, template, every_variant(fragment, 1000), device).tensor
    error = np.sqrt(np.square(found.deviations).sum(axis=0))
    assert (np.abs(found.mean - exact_tensor(fragment)) > 6 * error + 1e-3).any()


def test_a_sweep_is_transpiled_once(monkeypatch):
    calls = []
    make = transpiling.generate_preset_pass_manager
    monkeypatch.setattr(
        transpiling,
        "generate_preset_pass_manager",
        lambda *args, **kwargs: calls.append(1) or make(*args, **kwargs),
    )
    theta, phi = Parameter("theta"), Parameter("phi")
    circuit = QuantumCircuit(4)
    circuit.ry(theta, range(4))
    circuit.rzz(phi, 0, 1)
    circuit.rx(2 * theta + phi, 1)
    circuit.rzz(theta, 1, 2)
    circuit.rzz(phi, 2, 3)
    backend = line("rz", "sx", "cz")
    # At theta = 0 the cut block is a product, and nothing is left to choose.
    for values in ({"theta": 0.4, "phi": 1.1}, {"theta": 2.0, "phi": -0.3}, {"theta": 0, "phi": 1}):
        bound = circuit.assign_parameters({theta: values["theta"], phi: values["phi"]})
        run = lowered(bound, [[0, 0], [0, 1], [1, 1]], ["ZXYZ"])
        made = [
            transpiled(fragment_circuit(circuit, run.plan, f.program), backend)
            for f in run.fragments
        ]
        assert_same(circuit, run, backend, 3, values, made=made)
    assert len(calls) == 2  # fragments
    with pytest.raises(CircuitError, match="phi"):
        made[0].bound({"theta": 1.0})


def test_wide_gates_become_matrices():
    theta = Parameter("theta")
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.rz(theta, 0)
    circuit.mcp(theta, [0, 1], 2)
    circuit.rzz(theta, 2, 3)
    bound = circuit.assign_parameters({theta: 0.8})
    blocks = to_blocks(bound)
    labels = [[0, 0] if 3 not in pair else [0, 1] for pair in blocks.pairs.tolist()]
    run = lowered(bound, labels, ["XXXX"])
    source = fragment_circuit(circuit, run.plan, run.fragments[0].program)
    assert source.rigid == ("theta",)
    made = [
        transpiled(fragment_circuit(circuit, run.plan, f.program), DEVICES["line"])
        for f in run.fragments
    ]
    assert_same(circuit, run, DEVICES["line"], 3, {"theta": 0.8}, made=made)


def test_templates_are_plain_data():
    circuit, run = chain(wire=True)
    template = templates(circuit, run, DEVICES["line"])[0]
    again = pickle.loads(pickle.dumps(template))
    assert again.circuit == template.circuit
    assert again.places == template.places


def test_a_device_that_is_no_simulator_gets_one_job():
    circuit, run = chain(wire=False)
    device = Elsewhere()
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    run_on_device(fragment, template, every_variant(fragment, 100), device)
    assert device.jobs == [(fragment.num_variants, 100)]


def test_what_measures_nothing_is_not_run():
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    circuit.cx(0, 1)  # the block is the identity, and nothing is asked of qubit 0
    run = lowered(circuit, [[0, 1]], ["ZI"])
    device = Elsewhere(error=RuntimeError("never called"))
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    found = run_on_device(fragment, template, every_variant(fragment, 10), device)
    np.testing.assert_array_equal(found.tensor.mean, [[1.0]])


def test_too_wide():
    circuit = random_circuit(1, 7, 20)
    run = lowered(circuit, [[0, 0]] * to_blocks(circuit).num_blocks, ["Z" * 7])
    with pytest.raises(DeviceError, match="needs 7 qubits and it has 5; plan with max_qubits=5"):
        check_device(run.fragments, DEVICES["line"])
    with pytest.raises(DeviceError, match="needs 7 qubits"):
        templates(circuit, run, DEVICES["line"])


def test_measuring_at_the_end_only():
    device = FakeVigoV2()  # its configuration says so
    _, gates = chain(wire=False)
    with pytest.raises(DeviceError, match=r'fake_vigo: .*kinds=\("wire",\)') as caught:
        check_device(gates.fragments, device)
    assert caught.value.device == "fake_vigo"
    _, wires = chain(wire=True)
    check_device(wires.fragments, device)
    check_device(gates.fragments, FakeManilaV2())


def test_cuts_glued_as_one():
    circuit = QuantumCircuit(4)
    circuit.rzz(0.3, 0, 2)
    circuit.rzz(0.4, 1, 3)
    circuit.ry(0.4, range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    labels = [[0, 1], [0, 1], [0, 0], [1, 1]]
    together = lowered(circuit, labels, ["ZZZZ"], joint=True, cost="joint")
    with pytest.raises(DeviceError, match="joint=False"):
        check_device(together.fragments, IDEAL)
    apart = lowered(circuit, labels, ["ZZZZ"], joint=False, cost="joint")
    assert_same(circuit, apart, IDEAL, 1)


def test_a_job_that_fails():
    circuit, run = chain(wire=True)
    device = Elsewhere(error=RuntimeError("maintenance until noon"))
    fragment, template = run.fragments[0], templates(circuit, run, device)[0]
    with pytest.raises(DeviceError, match="device elsewhere: a job failed: maintenance") as caught:
        run_on_device(fragment, template, every_variant(fragment, 10), device)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.device, str(again)) == ("elsewhere", str(caught.value))


def test_gates_that_do_not_suffice():
    circuit, run = chain(wire=True)
    target = Target(num_qubits=5)
    target.add_instruction(CXGate(), {(0, 1): None, (1, 2): None})
    with pytest.raises(DeviceError, match="cannot be written in its gates"):
        templates(circuit, run, Elsewhere(target=target))


def test_a_task_finds_the_backend_of_its_worker(monkeypatch):
    circuit, run = chain(wire=False)
    here = types.ModuleType("pilot_kernel.primitive.backend")
    here.backend_here = lambda: IDEAL
    monkeypatch.setitem(sys.modules, here.__name__, here)
    fragment = run.fragments[0]
    source = fragment_circuit(circuit, run.plan, fragment.program)
    request = every_variant(fragment, 50)
    found = run_on_this_qpu(fragment, pickle.loads(pickle.dumps(source)), {}, request)
    template = transpiled(source, IDEAL).bound({})
    direct = run_on_device(fragment, template, request, IDEAL)
    np.testing.assert_array_equal(found.tensor.mean, direct.tensor.mean)
    here.backend_here = lambda: None
    with pytest.raises(DeviceError, match="no QPU"):
        run_on_this_qpu(fragment, source, {}, request)
