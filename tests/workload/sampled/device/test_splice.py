"""Spliced circuits do what simulators compute, whatever the transpiler makes of them."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.quantum_info import random_clifford

from qdreamer_lab.errors import CircuitError
from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.sampled.device import transpile as transpiling
from qdreamer_lab.workload.sampled.device.marked_circuit import fragment_circuit
from qdreamer_lab.workload.sampled.device.transpile import Forms, transpiled
from tests.circuits.drawn import random_circuit, random_labels, random_unitary
from tests.workload.sampled.device.cut_devices import (
    DEVICES,
    LINE,
    assert_same,
    chain,
    line,
    lowered,
    templates,
)


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
        (inner, _) = (f.templates[()] for f in templates(circuit, run, DEVICES["line"], level))
        pairs = {
            tuple(sorted(inner.circuit.find_bit(q).index for q in step.qubits))
            for step in inner.circuit.data
            if len(step.qubits) == 2
        }
        assert pairs <= set(map(tuple, LINE))
        assert len({place.qubit for place in inner.places}) > 1
        assert_same(circuit, run, DEVICES["line"], level, picked=4)


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
            Forms({(): transpiled(fragment_circuit(circuit, run.plan, f.program), backend)})
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
        Forms({(): transpiled(fragment_circuit(circuit, run.plan, f.program), DEVICES["line"])})
        for f in run.fragments
    ]
    assert_same(circuit, run, DEVICES["line"], 3, {"theta": 0.8}, made=made)


def test_gates_known_by_their_matrix_only():
    class Odd(Gate):
        def __init__(self):
            super().__init__("odd", 2, [])

        def __array__(self, dtype=None, copy=None):
            return random_unitary(np.random.default_rng(3))

    circuit = QuantumCircuit(3)
    circuit.append(Odd(), [0, 1])
    circuit.cx(1, 2)
    run = lowered(circuit, [[0, 0], [0, 1]], ["ZZZ"])
    assert_same(circuit, run, DEVICES["line"], 1)


def test_operations_that_are_no_instructions():
    circuit = QuantumCircuit(3)
    circuit.ry(0.4, range(3))
    circuit.append(random_clifford(2, seed=1), [0, 1])  # which has no `params`
    circuit.cx(1, 2)
    run = lowered(circuit, [[0, 0], [0, 1]], ["ZZZ", "XIY"])
    assert_same(circuit, run, DEVICES["line"], 1)


def test_templates_are_plain_data():
    circuit, run = chain(wire=True)
    template = templates(circuit, run, DEVICES["line"])[0].templates[()]
    again = pickle.loads(pickle.dumps(template))
    assert again.circuit == template.circuit
    assert again.places == template.places


def test_own_gates_with_known_names_are_written_as_they_are_defined():
    inner = QuantumCircuit(2)
    inner.ry(0.7, 0)
    inner.cx(0, 1)
    inner.rx(0.3, 1)
    keys = set()
    for name in ("swap", "cx", "rzz", "diagonal"):
        circuit, truth = QuantumCircuit(3), QuantumCircuit(3)
        own = Gate(name, 2, [])
        own.definition = inner
        for made in (circuit, truth):
            made.ry(0.4, range(3))
        circuit.append(own, [1, 0])
        truth.compose(inner, [1, 0], inplace=True)
        for made in (circuit, truth):
            made.cx(1, 2)
        # The plan is that of the plain circuit: this is about what goes to the device.
        run = lowered(truth, [[0, 0], [0, 1]], ["ZZZ", "XIY"])
        own_blocks = replace(run.plan.blocks, sources=to_blocks(circuit).sources)
        own_run = replace(run, plan=replace(run.plan, blocks=own_blocks))
        for device in DEVICES.values():
            assert_same(circuit, own_run, device, 1, picked=9)
        keys.add(fragment_circuit(circuit, own_run.plan, run.fragments[0].program).key)
    assert len(keys) == 1
