"""What an instruction means: its class, else its definition, else its matrix; never its name."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ControlledGate, Gate, Instruction, Parameter
from qiskit.circuit.controlflow import BoxOp
from qiskit.circuit.library import (
    CXGate,
    HGate,
    PauliEvolutionGate,
    PermutationGate,
    RXGate,
    SwapGate,
    UnitaryGate,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import Operator, SparsePauliOp, random_clifford, random_unitary
from qiskit.synthesis import synth_permutation_basic
from qiskit_aer.library import SaveStatevector
from scipy.linalg import expm

from pilot_kernel.primitive.circuit.gates import (
    definition_of,
    has_open_controls,
    is_built_in,
    kind_of,
    matrix_of,
    standard_name,
)


def _bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return circuit


class Swap(Gate):
    """A gate of a user's, with a name of Qiskit's and only a matrix."""

    def __init__(self):
        super().__init__("swap", 2, [])

    def __array__(self, dtype=None, copy=None):
        return np.diag([1, 1j, -1, -1j]).astype(dtype)


def test_standard_gates_are_known_by_their_classes():
    for name, gate in get_standard_gate_name_mapping().items():
        assert is_built_in(gate), name
        assert standard_name(gate) in (name, None)
    assert kind_of(HGate()) is HGate
    assert standard_name(RXGate(Parameter("a"))) == "rx"
    assert standard_name(Swap()) is None
    assert has_open_controls(CXGate(ctrl_state=0))
    assert standard_name(CXGate(ctrl_state=0)) is None


@pytest.mark.parametrize("kind", [Gate, Instruction, ControlledGate])
def test_a_name_proves_nothing(kind):
    sizes = (2,) if kind is not Instruction else (2, 0)
    more = {"num_ctrl_qubits": 1, "base_gate": HGate()} if kind is ControlledGate else {}
    own = kind("cx", *sizes, [], **more)
    own.definition = _bell()
    assert not is_built_in(own)
    assert definition_of(own) == _bell()
    assert not is_built_in(Swap())
    assert is_built_in(SaveStatevector(2))
    renamed = CXGate().to_mutable()
    renamed.name = "swap"
    assert not is_built_in(renamed), "of a class of Qiskit's, under another one's name"


@pytest.mark.parametrize(
    "operation",
    [
        random_clifford(3, seed=1),
        PermutationGate([2, 0, 3, 1]),
        BoxOp(_bell()),
        SwapGate(),
        UnitaryGate(random_unitary(4, seed=2)),
    ],
    ids=["clifford", "permutation", "box", "standard", "unitary"],
)
def test_a_definition_does_what_the_operation_does(operation):
    found = definition_of(operation)
    wanted = _bell() if isinstance(operation, BoxOp) else operation
    assert Operator(found).equiv(Operator(wanted))


def test_a_permutation_is_swaps():
    assert definition_of(PermutationGate([1, 2, 0])) == synth_permutation_basic([1, 2, 0])


def test_a_product_formula_counts_and_not_the_exponential_that_it_approximates():
    terms = SparsePauliOp(["XX", "ZI"])
    found = definition_of(PauliEvolutionGate(terms, time=1.0))
    assert found == PauliEvolutionGate(terms, time=1.0).definition
    assert not Operator(found).equiv(expm(-1j * terms.to_matrix()))


def test_what_has_no_definition_is_its_matrix_if_it_has_one():
    assert definition_of(Swap()) is None
    np.testing.assert_array_equal(matrix_of(Swap()), np.diag([1, 1j, -1, -1j]))
    for nothing in (Gate("cx", 2, []), Instruction("h", 1, 0, [])):
        assert definition_of(nothing) is None
        assert matrix_of(nothing) is None
