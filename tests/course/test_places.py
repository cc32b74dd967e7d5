"""Checkers of the seventh notebook."""

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import CXGate

from pilot_kernel import PilotDescription
from qdreamer_lab.course import places
from qdreamer_lab.course.places import check_native, check_request, wanted_circuit
from tests.course.judging import judge

ASKED = {
    "resource": "slurm://",
    "number_of_nodes": 2,
    "cores_per_node": 8,
    "memory_per_node_bytes": 32 * 10**9,
    "walltime": "0:30:00",
    "queue": "debug",
    "interface": "ib0",
}


def asked(**changes):
    return {key: value for key, value in {**ASKED, **changes}.items() if value is not None}


def test_requests():
    judge(
        check_request,
        [
            ASKED,
            PilotDescription(**asked(walltime=30, cores_per_worker=4)),
            asked(walltime="30:00", memory_per_node_bytes=32 * 2**30, tags=("fast",)),
            asked(walltime="0-00:30", interface="eth0", name="work"),
        ],
        [
            (asked(cores_per_node=16), "both together"),
            (asked(cores_per_node=4), "are wanted"),
            (asked(walltime="30:00:00"), "1800 minutes"),
            (asked(walltime=None), "Without a walltime"),
            (asked(memory_per_node_bytes=32_000_000), "in bytes"),
            (asked(interface=None), "interface= is missing"),
            (asked(resource="local://"), "a SLURM cluster"),
            (asked(number_of_nodes=1), "node(s)"),
            (asked(queue=None), "the queue is called"),
            (asked(nodes=2), "no key 'nodes'"),
            ("slurm://", "this is str"),
        ],
    )


@pytest.mark.parametrize(
    ("walltime", "minutes"),
    [
        (30, 30),
        ("30", 30),
        ("30:00", 30),
        ("0:30:00", 30),
        ("1-0:30", 1470),
        ("2-01:00:30", 2940.5),
    ],
)
def test_walltimes_are_read_as_slurm_reads_them(walltime, minutes):
    assert places._minutes(walltime) == minutes
    PilotDescription(walltime=walltime)


def native(circuit, **options):
    return transpile(
        circuit,
        basis_gates=["cz", "rz", "sx", "x"],
        coupling_map=[[0, 1], [1, 0], [1, 2], [2, 1]],
        seed_transpiler=3,
        **options,
    )


def by_hand():
    """CX from 0 to 2 as four CX over the middle, all in native gates."""
    circuit = QuantumCircuit(3, global_phase=0.5)

    def h(qubit):
        circuit.rz(1.5707963267948966, qubit)
        circuit.sx(qubit)
        circuit.rz(1.5707963267948966, qubit)

    def cx(control, target):
        h(target)
        circuit.cz(control, target)
        h(target)

    h(0)
    for control, target in ((0, 1), (1, 2), (0, 1), (1, 2)):
        cx(control, target)
    turned = transpile(_turn(), basis_gates=["rz", "sx", "x"])
    return circuit.compose(turned)


def _turn():
    circuit = QuantumCircuit(3)
    circuit.ry(0.4, 1)
    return circuit


def test_native_forms():
    far = native(wanted_circuit(), optimization_level=0)
    far.cz(0, 2)
    bell_of_neighbours = QuantumCircuit(3)
    bell_of_neighbours.h(0)
    bell_of_neighbours.cx(0, 1)
    moved = QuantumCircuit(3)  # from |000⟩ it makes the same state
    moved.h(2)
    moved.append(CXGate(), [2, 0])
    moved.ry(0.4, 1)
    measured = native(wanted_circuit())
    measured.measure_all()
    separate = QuantumCircuit(3)
    separate.sx(0)
    judge(
        check_native,
        [
            native(wanted_circuit(), optimization_level=0),
            native(wanted_circuit(), optimization_level=3),
            by_hand(),
        ],
        [
            (wanted_circuit(), "has no gate 'h'"),
            (far, "between qubits 0 and 2"),
            (native(bell_of_neighbours), "does something else"),
            (native(moved), "differs on other states"),
            (measured, "measures"),
            (separate, "Without a CZ"),
            (QuantumCircuit(4), "has 4 qubits"),
        ],
    )
