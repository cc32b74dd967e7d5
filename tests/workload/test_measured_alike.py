"""Circuits that measure mean the same wherever a circuit is handed over, and are refused alike.

Values are of the state before the measurements that a circuit ends in, also of X and Y.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.classical import expr, types
from qiskit.quantum_info import SparsePauliOp, Statevector

from pilot_kernel.primitive.circuit.measured_at_end import without_measurements_at_end
from pilot_kernel.primitive.pub.check import estimator_pubs
from qdreamer_lab import (
    CutEstimator,
    CutExplorer,
    CutSampler,
    QDreamer,
    find_cuts,
    pareto,
    plan_cuts,
)
from qdreamer_lab.errors import CircuitError
from qdreamer_lab.reference_values import reference_values
from tests.circuits.plain import bound_ansatz
from tests.primitive.in_process import simulated

_LABELS = ["ZXIY", "XYIY", "IXII", "YZZI"]
_REFUSED = (
    r"is a mid-circuit measurement.*Only circuits that measure at their end can be cut.*"
    r"session\.run"
)
_ADDON = (
    SimpleNamespace(seed=0, gate_lo=True, wire_lo=True),
    SimpleNamespace(qubits_per_subcircuit=2),
)


pytestmark = pytest.mark.usefixtures("forgetful")


def in_registers():
    circuit = bound_ansatz(4)
    circuit.measure_all()
    return circuit


def among_gates():
    """The first qubit is done, and measured, while others have gates to come."""
    circuit = QuantumCircuit(4, 6)
    reached = set()
    data = list(bound_ansatz(4).data)
    for place, step in enumerate(data):
        circuit.append(step.operation, [circuit.qubits[bit._index] for bit in step.qubits])
        later = {bit._index for each in data[place + 1 :] for bit in each.qubits}
        for qubit in sorted({0, 1, 2} - later - reached):
            circuit.barrier()
            circuit.measure(qubit, qubit)
            circuit.delay(5, qubit)
            circuit.id(qubit)
            circuit.measure(qubit, 5)
            reached.add(qubit)
    assert [step.name for step in circuit.data].index("measure") < len(data)
    return circuit


ENDS = {"measure_all": in_registers, "among gates": among_gates}


def then(act):
    circuit = bound_ansatz(4)
    circuit.add_bits(QuantumCircuit(0, 1).clbits)
    circuit.measure(1, 0)
    act(circuit)
    return circuit


def conditional(circuit):
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(3)


def stored(circuit):
    circuit.add_uninitialized_var(kept := expr.Var.new("kept", types.Bool()))
    circuit.store(kept, circuit.clbits[0])


MIDWAY = {
    "gate": then(lambda circuit: circuit.cx(1, 2)),
    "reset": then(lambda circuit: circuit.reset(1)),
    "condition": then(conditional),
    "store": then(stored),
}


@pytest.mark.parametrize("circuit", [made() for made in ENDS.values()], ids=ENDS)
def test_plans_are_those_of_the_gates(circuit):
    gates = bound_ansatz(4)
    plan, wanted = (plan_cuts(each, 2, observables=_LABELS) for each in (circuit, gates))
    assert plan.summary == wanted.summary
    assert [each.summary for each in pareto(circuit)] == [each.summary for each in pareto(gates)]
    marked, told = find_cuts(circuit, *_ADDON)
    assert told == find_cuts(gates, *_ADDON)[1]
    assert not marked.clbits  # the addon takes none


@pytest.mark.parametrize("circuit", [made() for made in ENDS.values()], ids=ENDS)
def test_values_are_of_the_state_before(circuit):
    state = Statevector(bound_ansatz(4))
    wanted = [state.expectation_value(SparsePauliOp(label)).real for label in _LABELS]
    assert np.abs(wanted).min() > 0.1
    plan = plan_cuts(circuit, 2, observables=_LABELS)
    pub = (circuit, _LABELS)
    found = {
        "cut": CutEstimator(2).run([pub]),
        "by a plan of it": CutEstimator(2, plan=plan).run([pub]),
        "uncut": CutEstimator(4).run([pub]),
    }
    values = {how: job.result()[0].data.evs for how, job in found.items()}
    values["advised"] = QDreamer().recommend(circuit, _LABELS).run().data.evs
    values["session.run"] = simulated(estimator_pubs([pub], 0.0))[0].data.evs
    values["Aer"] = reference_values(circuit, _LABELS).values
    for how, each in values.items():
        assert np.allclose(each, wanted, atol=1e-7), how
    drawn = CutEstimator(2, mode="sampled", seed=3).run([pub], precision=0.02).result()[0].data
    assert np.abs(drawn.evs - wanted).max() < 6 * 0.02


def test_pubs_that_share_a_measured_circuit_go_on_sharing_it():
    circuit, other = in_registers(), in_registers()
    pubs = estimator_pubs([(circuit, "ZZZZ"), (other, "ZZZZ"), (circuit, "XXXX")], 0.0)
    assert pubs[0].circuit is pubs[2].circuit is not pubs[1].circuit
    assert [step.name for step in pubs[0].circuit.data].count("measure") == 0
    assert circuit.count_ops()["measure"] == 4


@pytest.mark.parametrize("name", MIDWAY)
def test_what_measures_on_the_way_is_refused_in_the_same_words(name):
    circuit = MIDWAY[name]
    said = set()
    for use in (
        lambda: plan_cuts(circuit, 2),
        lambda: pareto(circuit),
        lambda: find_cuts(circuit, *_ADDON),
        lambda: CutExplorer(circuit),
        lambda: QDreamer().predict(circuit, _LABELS, max_qubits=2),
        lambda: QDreamer().recommend(circuit, _LABELS),
        lambda: CutEstimator(2).run([(circuit, _LABELS)]),
        lambda: CutSampler(2).run([circuit.measure_all(inplace=False)]),
    ):
        with pytest.raises(CircuitError, match=_REFUSED) as caught:
            use()
        said.add(str(caught.value).removeprefix("PUB 0: "))
    assert len(said) == 1
    assert without_measurements_at_end(circuit) is circuit
