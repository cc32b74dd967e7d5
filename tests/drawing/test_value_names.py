"""The names of the values of a result."""

from qiskit import QuantumCircuit

from pilot_kernel.drawing.value_names import value_names


def test_observables_are_named_shortly():
    from qiskit.quantum_info import SparsePauliOp

    wide = SparsePauliOp.from_sparse_list([("ZZ", [0, 35], 1)], 36)
    mixed = SparsePauliOp(["XX", "YY"], [0.5, 0.25])
    [[wide_name]] = [names.tolist() for names in value_names((QuantumCircuit(36), [wide]))]
    [[mixed_name]] = [names.tolist() for names in value_names((QuantumCircuit(2), [mixed]))]
    assert wide_name == "Z₀Z₃₅"
    assert set(mixed_name.split(" + ")) == {"0.5 XX", "0.25 YY"}
