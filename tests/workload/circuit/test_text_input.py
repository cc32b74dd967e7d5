"""What people type: observables and OpenQASM, read right or refused with the place."""

import pickle

import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Operator, SparsePauliOp

from qdreamer_lab.errors import InfeasiblePlanError, ObservableError, QasmError
from qdreamer_lab.workload.circuit.pauli_text import parse_observable
from qdreamer_lab.workload.qasm import load_qasm, loads_qasm


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Z0 Z3", {"ZIIZ": 1}),
        ("0.5*Z0Z1 + X3", {"IIZZ": 0.5, "XIII": 1}),
        ("-Y2", {"IYII": -1}),
        ("2 - 1e-1 * X0*Y1", None),
        ("2*I - 1e-1 * X0*Y1", {"IIII": 2, "IIYX": -0.1}),
        ("Z0 - -Z1", {"IIIZ": 1, "IIZI": 1}),
    ],
)
def test_observables_are_read(text, terms):
    if terms is None:
        with pytest.raises(ObservableError, match="column 1: a term needs factors"):
            parse_observable(text, 4)
        return
    expected = SparsePauliOp.from_list(list(terms.items()))
    assert parse_observable(text, 4).equiv(expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 1: a term needs"),
        ("Z0 +", "column 4: a term needs"),
        ("ZZII", "column 1: write it like"),
        ("Z0 Q1", "column 4: write it like"),
        ("Z0 2", "column 4: a number must come first"),
        ("Z4", "qubit 4, but the circuit has qubits 0 to 3"),
        ("Z1 X1", "qubit 1 twice"),
    ],
)
def test_broken_observables_are_refused(text, words):
    with pytest.raises(ObservableError, match=words):
        parse_observable(text, 4)


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
        load_qasm(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(QasmError, match=r"cannot read .*no\.qasm"):
        load_qasm(tmp_path / "no.qasm")


def test_what_qiskit_writes_is_read():
    circuit = QuantumCircuit(3)
    circuit.ccx(0, 1, 2)
    circuit.rx(0.2, 0)
    assert Operator(loads_qasm(qasm2.dumps(circuit))) == Operator(circuit)


def test_an_infeasible_plan_s_error_survives_its_way_back_from_a_worker():
    error = InfeasiblePlanError("too narrow", 3)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.smallest_max_qubits) == ("too narrow", 3)
