"""Files in `saved/` that older versions wrote are read, or refused in words: commit 8a004e0."""

import gzip
from pathlib import Path

import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator, CutPlan, MachineProfile, QDreamerError

SAVED = Path(__file__).parent / "saved"


def line():
    """The circuit that the saved plan cuts."""
    circuit = QuantumCircuit(6)
    for turn, couple, angle in (("ry", "cx", 0.1), ("rx", "cz", 0.2)):
        for qubit in range(6):
            getattr(circuit, turn)(angle * (qubit + 1), qubit)
        for qubit in range(5):
            getattr(circuit, couple)(qubit, qubit + 1)
    return circuit


def test_a_plan_is_read_and_runs():
    plan = CutPlan.load(SAVED / "plan.json")
    assert plan.labels.ravel().tolist() == ([0] * 5 + [1] * 5) * 2
    assert (plan.max_qubits, plan.num_cuts, plan.cost) == (3, 2, "lo")
    assert plan.proven_optimal
    assert plan.log2_overhead == pytest.approx(6.34, abs=0.01)
    result = CutEstimator(3, mode="exact", plan=plan).run([(line(), "Z" * 6)]).result()[0]
    expected = Statevector(line()).expectation_value(SparsePauliOp("Z" * 6)).real
    assert result.data.evs == pytest.approx(expected, abs=1e-9)


def test_a_profile_of_other_coefficients_is_refused_with_what_to_do():
    with gzip.open(SAVED / "profile.json.gz", "rt") as file:
        text = file.read()
    with pytest.raises(QDreamerError, match="measure again"):
        MachineProfile.from_json(text)
