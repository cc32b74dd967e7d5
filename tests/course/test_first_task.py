"""Checkers of the first notebook."""

from qiskit import QuantumCircuit
from qiskit.primitives import StatevectorEstimator, StatevectorSampler

from qdreamer_lab.course.first_task import check_counts, check_minus
from tests.course.judging import judge


def chain(num_qubits, *first, measured=False):
    """A GHZ circuit with other gates on qubit 0 in the place of a Hadamard."""
    circuit = QuantumCircuit(num_qubits)
    for name, *angles in first or (("h",),):
        getattr(circuit, name)(*angles, 0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    if measured:
        circuit.measure_all()
    return circuit


def test_the_minus():
    star = QuantumCircuit(4, global_phase=1.3)
    star.h(3)
    star.cx(3, [0, 1, 2])
    star.z(2)
    turned = QuantumCircuit(4)
    turned.ry(-1.5707963267948966, 1)  # |0⟩ - |1⟩
    turned.cx(1, [0, 2, 3])
    reset = chain(4)
    reset.reset(0)
    short = chain(4, ("x",), ("h",))
    short.cx(2, 3)  # undone
    judge(
        check_minus,
        [chain(4, ("x",), ("h",)), chain(4, ("h",), ("z",), measured=True), star, turned],
        [
            (chain(4), "sign between the two is a plus"),
            (chain(4, ("h",), ("s",)), "phase between the two is 90.0°"),
            (chain(3, ("x",), ("h",)), "has 3 qubits"),
            (chain(4, ("ry", 1.0), ("z",)), "equally likely"),
            (short, "Only all zeros and all ones"),
            ("|0000> - |1111>", "A QuantumCircuit is wanted"),
            (reset, "no state vector"),
        ],
    )


def counted(*circuits, shots=3000):
    return StatevectorSampler(seed=5).run(list(circuits), shots=shots).result()


def test_the_counts():
    star = QuantumCircuit(6)
    star.h(2)
    star.cx(2, [0, 1, 3, 4, 5])
    star.measure_all()
    named = QuantumCircuit(6, 6)
    named.compose(chain(6), inplace=True)
    named.measure(range(6), range(6))
    broken = chain(6)
    broken.h(5)
    broken.measure_all()
    one = QuantumCircuit(6)
    one.h(0)
    good = chain(6, measured=True)
    judge(
        check_counts,
        [counted(good), counted(star), counted(named)],
        [
            (counted(good, shots=1000), "1,000 shots"),
            (counted(chain(4, measured=True)), "4 bits were measured"),
            (counted(broken), "all qubits agree"),
            (counted(chain(6, ("ry", 1.2), measured=True)), "no chance"),
            (counted(good)[0].data.meas.get_counts(), "this is dict"),
            (StatevectorEstimator().run([(one, "Z" * 6)]).result(), "no counts"),
            (counted(good, good), "One circuit is wanted"),
        ],
    )
