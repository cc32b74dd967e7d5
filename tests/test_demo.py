"""The demo from its command line: what it prints, and when it says no."""

import re

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.quantum_info import SparsePauliOp

from qdreamer_lab import cli, demo
from qdreamer_lab import reference_values as checks
from qdreamer_lab.reference_values import Reference, reference_values, too_much_for_aer
from tests.circuits.plain import bound_ansatz, ghz, layered


@pytest.fixture(autouse=True)
def measured(monkeypatch, tmp_path):
    """No profile but the nominal one, none of the user's changed, and no ten seconds each."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(demo.QDreamer, "calibrate", lambda self, budget_s: None)


@pytest.fixture
def qasm_file(tmp_path):
    path = tmp_path / "small.qasm"
    path.write_text(qasm2.dumps(bound_ansatz(6)))
    return path


def test_it_runs_a_file_and_agrees(qasm_file, capsys):
    arguments = ["--circuit", str(qasm_file), "--max-qubits", "3", "--in-process"]
    assert cli.main(["demo", *arguments, "--observable", "Z0 Z5", "--observable", "X2 - Y3"]) == 0
    said = capsys.readouterr().out
    assert "small.qasm: 6 qubits, 5 entangling gates" in said
    assert "2^6 x 16 B = 1 KiB" in said
    assert "measuring    this machine" in said
    assert "Run the 6-qubit circuit in fragments of ≤ " in said
    assert "gate cut" in said
    assert "this process" in said
    assert re.search(r"in all +\S+ \S+ +\S+ \S+\n", said)  # predicted, measured
    assert "agrees to 1e-8 with Aer's statevector simulator" in said
    assert "\x1b" not in said


def test_values_are_of_the_state_before_measurements_in_a_file(tmp_path, capsys):
    circuit = QuantumCircuit(3, 3)
    circuit.compose(ghz(3), inplace=True)
    circuit.barrier()
    circuit.measure(range(3), range(3))
    path = tmp_path / "ghz.qasm"
    path.write_text(qasm3.dumps(circuit))
    arguments = ["--max-qubits", "2", "--in-process", "--observable", "X0 X1 X2"]
    assert cli.main(["demo", "--circuit", str(path), *arguments]) == 0
    said = capsys.readouterr().out
    assert "3 qubits, 2 entangling gates" in said
    assert re.search(r"X0 X1 X2 +\+1\.0000", said)


def test_a_wrong_value_fails(qasm_file, capsys, monkeypatch):
    wrong = Reference(np.array([0.0, 0.0, 0.0]), "statevector", 0.1)
    monkeypatch.setattr(demo, "reference_values", lambda *_: wrong)
    assert cli.main(["demo", "--circuit", str(qasm_file), "--max-qubits", "3", "--in-process"]) == 1
    assert "DISAGREES" in capsys.readouterr().out


def test_on_a_pilot_it_says_who_did_what(qasm_file, capsys):
    arguments = ["--circuit", str(qasm_file), "--max-qubits", "3", "--workers", "1", "--no-check"]
    assert cli.main(["demo", *arguments]) == 0
    said = capsys.readouterr().out
    assert said.count("local-0 (local)") >= 2
    assert "Aer" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--observable", "Z9"], "qubit 9"),
        (["--observable", "what"], "column 1"),
        (["--max-qubits", "0"], "max_qubits must be at least 1"),
        (["--circuit", "nowhere.qasm"], "cannot read nowhere.qasm"),
    ],
)
def test_bad_input_is_one_line(qasm_file, arguments, words, capsys):
    assert cli.main(["demo", "--circuit", str(qasm_file), "--in-process", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_workers_must_be_positive(capsys):
    with pytest.raises(SystemExit):
        cli.main(["demo", "--workers", "0"])
    assert "at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "checked"), [([], False), (["--check"], True)])
def test_what_is_too_much_for_aer_is_not_checked_unless_asked_for(
    qasm_file, capsys, monkeypatch, option, checked
):
    monkeypatch.setattr(demo, "too_much_for_aer", lambda _: "it may take Aer for ever")
    arguments = ["--circuit", str(qasm_file), "--max-qubits", "3", "--in-process", *option]
    assert cli.main(["demo", *arguments]) == 0
    said = capsys.readouterr().out
    assert ("agrees to 1e-8" in said) == checked
    assert ("check        none, for it may take Aer for ever; qdreamer-lab demo" in said) != checked


def test_entanglement_is_too_much_for_aer_and_width_alone_is_not(monkeypatch):
    deep = layered(30, 40)
    assert too_much_for_aer(deep) == "it may take Aer more than 2 minutes"
    assert too_much_for_aer(layered(24, 40)) == ""
    wide = QuantumCircuit(60, 60)
    wide.compose(ghz(60), inplace=True)
    wide.measure(range(60), range(60))
    assert too_much_for_aer(wide) == ""
    assert too_much_for_aer(demo._circuit(None)[1]) == ""
    monkeypatch.setattr(checks, "available_bytes", lambda: 1000)
    assert "of memory" in too_much_for_aer(wide)
    assert "at most 2,000 qubits" in too_much_for_aer(ghz(2001))


@pytest.mark.parametrize("num_qubits", [30, 70])
def test_wide_circuits_are_checked_by_matrix_product_states(num_qubits):
    operators = [SparsePauliOp.from_sparse_list([("ZZ", [0, num_qubits - 1], 1.0)], num_qubits)]
    reference = reference_values(ghz(num_qubits), operators)
    assert reference.method == "matrix product state"
    assert reference.values == pytest.approx([1.0])
