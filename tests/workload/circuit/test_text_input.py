"""What people type: observables and OpenQASM, read right or refused with the place."""

import pickle

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import Gate
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp

from pilot_kernel.drawing.value_names import value_names
from pilot_kernel.errors import PubError as PilotPubError
from pilot_kernel.primitive.pub.check import estimator_pubs, has_observables
from qdreamer_lab import CutEstimator, load_circuit
from qdreamer_lab.errors import InfeasiblePlanError, ObservableError, PubError, QasmError
from qdreamer_lab.workload.circuit.observables import as_sparse, read_observable
from qdreamer_lab.workload.qasm import loads_qasm


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Z0 Z3", {"ZIIZ": 1}),
        ("0.5*Z0Z1 + X3", {"IIZZ": 0.5, "XIII": 1}),
        ("-Y2", {"IYII": -1}),
        ("2 - 1e-1 * X0*Y1", None),
        ("2*I - 1e-1 * X0*Y1", {"IIII": 2, "IIYX": -0.1}),
        ("Z0 - -Z1", {"IIIZ": 1, "IIZI": 1}),
        ("ZZIX", {"ZZIX": 1}),
        ("0.5*ZZIX - IIIY + Z0 Z3", {"ZZIX": 0.5, "IIIY": -1, "ZIIZ": 1}),
        ("1*X0Y1", {"IIYX": 1}),
    ],
)
def test_observables_are_read(text, terms):
    if terms is None:
        with pytest.raises(ObservableError, match="column 1: a term needs factors"):
            read_observable(text, 4)
        return
    expected = SparsePauliOp.from_list(list(terms.items()))
    assert read_observable(text, 4).equiv(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 1: a term needs"),
        ("Z0 +", "column 4: a term needs"),
        ("ZZI", "a label such as ZZI is a term by itself, with a letter for each of the 4"),
        ("ZZII X0", "a term by itself"),
        ("ZZIQ", "column 1: write it like"),
        ("X0Z1", r"in two ways.* write 1\*X0Z1"),
        ("Z0 Q1", "column 4: write it like"),
        ("Z0 2", "column 4: a number must come first"),
        ("Z4", "qubit 4, but the circuit has qubits 0 to 3"),
        ("Z1 X1", "qubit 1 twice"),
    ],
)
def test_broken_observables_are_refused(text, words):
    with pytest.raises(ObservableError, match=words):
        read_observable(text, 4)


CIRCUIT = QuantumCircuit(3)
CIRCUIT.ry(0.3, 0)
CIRCUIT.rx(0.4, 1)
CIRCUIT.cx(0, 2)
FORMS = [
    (["ZZI", "0.5*XII - Z0 Z2"], ["ZZI", SparsePauliOp(["XII", "ZIZ"], [0.5, -1])]),
    ("Z0 Z1", "IZZ"),
    ([["Y1", "XIX"], ["X0 X2", "ZYI"]], [["IYI", "XIX"], ["XIX", "ZYI"]]),
    ({"Z0 Z1": 2, "XXX": 1}, {"IZZ": 2, "XXX": 1}),
    (np.array(["Z1", "ZII"]), ["IZI", "ZII"]),
]


@pytest.mark.parametrize(("texts", "plain"), FORMS)
def test_texts_are_observables_wherever_observables_are(texts, plain):
    """Against Qiskit's own estimator, which knows operators and labels only."""
    expected = StatevectorEstimator().run([(CIRCUIT, plain)]).result()[0].data.evs
    (pub,) = estimator_pubs([(CIRCUIT, texts)], 0.0)
    assert has_observables([(CIRCUIT, texts)])
    assert np.allclose(StatevectorEstimator().run([pub]).result()[0].data.evs, expected)
    cut = CutEstimator(2).run([(CIRCUIT, texts)]).result()[0]
    assert np.allclose(cut.data.evs, expected)
    assert [o.num_qubits for o in as_sparse(texts, 3)] == [3] * np.size(expected)
    names, labels = value_names([(CIRCUIT, texts)])[0], value_names([(CIRCUIT, plain)])[0]
    assert sorted(map(str, names.ravel())) == sorted(map(str, labels.ravel()))


def test_what_is_a_label_of_qiskit_s_stays_one():
    """Z on the second qubit and a projector on the first, not Z on the first."""
    circuit = QuantumCircuit(2)
    circuit.x(1)
    label = SparseObservable("Z0")
    for text, value, observable in (("Z0", -1, label), ("1*Z0", 1, SparseObservable("IZ"))):
        (pub,) = estimator_pubs([(circuit, text)], 0.0)
        assert pub.observables.sparse_observables_array()[()].simplify() == observable
        assert CutEstimator(2).run([(circuit, text)]).result()[0].data.evs == pytest.approx(value)


@pytest.mark.parametrize("text", ["Z0 Z7", "Z0 +", "ZZ + X0", "Z0Z0 "])
def test_a_text_that_cannot_be_read_is_refused_with_its_pub(text):
    for refuse, error in (
        (lambda: estimator_pubs([(CIRCUIT, [text])], 0.0), PilotPubError),
        (lambda: CutEstimator(2).run([(CIRCUIT, [text])]).result(), PubError),
    ):
        with pytest.raises(error, match=r"PUB 0: (cannot read )?observable"):
            refuse()


QASM2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\n'
QASM3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\n'


@pytest.mark.parametrize("head", [QASM2, "// a comment\n\n" + QASM2, QASM3, "/* x\n*/" + QASM3])
def test_both_versions_are_read(head):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    assert Operator(loads_qasm(head + "h q[0];\ncx q[0], q[1];\n")) == Operator(circuit)


def test_legacy_gates_are_known():
    assert loads_qasm(QASM2 + "rzz(0.3) q[0],q[1];").count_ops() == {"rzz": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (QASM2 + "h q[0];\n  foo q[0];\n", r"bell\.qasm:5:3: 'foo'"),
        (QASM2 + "h q[0]\n", r"bell\.qasm:4:1: "),
        (QASM3 + "h q[0];\n  foo q[0];\n", r"bell\.qasm:5:3: gate 'foo'"),
        (QASM3 + "h q[0] q[1];\n", r"bell\.qasm:4:8: unexpected 'q'"),
        ("h q[0];", r"bell\.qasm:1:1: .*'h' before definition"),
        ("OPENQASM 4.0;", "OpenQASM 4 is not supported"),
    ],
)
def test_broken_programs_are_refused_with_the_place(tmp_path, text, words):
    path = tmp_path / "bell.qasm"
    path.write_text(text)
    with pytest.raises(QasmError, match=words):
        load_circuit(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(QasmError, match=r"cannot read .*no\.qasm"):
        load_circuit(tmp_path / "no.qasm")


def test_what_qiskit_writes_is_read():
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    circuit.rx(0.2, 0)
    assert Operator(loads_qasm(qasm2.dumps(circuit))) == Operator(circuit)


@pytest.mark.parametrize("dump", [qasm2.dumps, qasm3.dumps])
def test_every_gate_of_qiskit_s_library_comes_back_from_a_file(dump, tmp_path):
    for name, gate in get_standard_gate_name_mapping().items():
        if not isinstance(gate, Gate) or gate.num_qubits == 0:
            continue
        values = [0.3 + 0.1 * place for place in range(len(gate.params))]
        circuit = QuantumCircuit(gate.num_qubits)
        circuit.append(type(gate)(*values) if values else gate, range(gate.num_qubits))
        file = tmp_path / f"{name}.qasm"
        file.write_text(dump(circuit))
        assert Operator(load_circuit(str(file))).equiv(circuit), name


def test_an_infeasible_plan_s_error_survives_its_way_back_from_a_worker():
    error = InfeasiblePlanError("too narrow", 3)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.smallest_max_qubits) == ("too narrow", 3)
