"""Devices to run variants on, cut circuits to run there, and their exact distributions."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator

from qdreamer_lab.workload.circuit.blocks import to_blocks
from qdreamer_lab.workload.circuit.observables import as_sparse, product_terms
from qdreamer_lab.workload.plan.plan import CutPlan
from qdreamer_lab.workload.sampled.device.held_outcomes import ways_to_hold
from qdreamer_lab.workload.sampled.device.marked_circuit import fragment_circuit
from qdreamer_lab.workload.sampled.device.splice import splice
from qdreamer_lab.workload.sampled.device.transpile import Forms, Transpiling, transpiled
from qdreamer_lab.workload.sampled.lower import lower
from qdreamer_lab.workload.sampled.shots import ShotRequest
from qdreamer_lab.workload.sampled.simulate import Batch

LINE = [[0, 1], [1, 2], [2, 3], [3, 4]]


def line(*gates):
    """Five qubits in a row, to transpile for."""
    return GenericBackendV2(5, list(gates), coupling_map=LINE, seed=3, noise_info=False)


IDEAL = AerSimulator()
DEVICES = {
    "ideal": IDEAL,
    "line": line("rz", "sx", "x", "cx"),
    "fractional": line("rx", "rz", "cz", "rzz"),
}


class Elsewhere(BackendV2):
    """A device that is not known to be a simulator, and may be out of order."""

    def __init__(self, target=None, error=None):
        super().__init__(name="elsewhere")
        self._target = target or AerSimulator().target
        self._error = error
        self.jobs = []

    target = property(lambda self: self._target)
    max_circuits = None

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, run_input, **options):
        if self._error is not None:
            raise self._error
        self.jobs.append((len(run_input), options["shots"]))
        return AerSimulator().run(run_input, **options)


def lowered(circuit, labels, observables, *, joint=False, cost="lo"):
    blocks = to_blocks(circuit)
    plan = CutPlan(blocks, np.array(labels), np.zeros(len(blocks.lone), dtype=int) - 1, 9, cost)
    terms = [product_terms(o) for o in as_sparse(observables, circuit.num_qubits)]
    return lower(plan, terms, joint=joint)


def chain(*, wire):
    """Three qubits in a row, cut between the last two: gate or wire."""
    circuit = QuantumCircuit(3)
    circuit.ry(0.7, 0)
    circuit.ry(0.4, 2)
    circuit.cx(0, 1)
    circuit.rx(0.3, 1)
    circuit.cx(1, 2)
    circuit.ry(0.5, 1)
    labels = [[0, 0], [1, 1]] if wire else [[0, 0], [0, 1]]
    return circuit, lowered(circuit, labels, ["ZZZ", "XIY", "IX0"])


def templates(circuit, run, backend, level=1, *, midway=True):
    """The forms of each fragment."""
    return [
        Forms(
            {
                held: transpiled(
                    fragment_circuit(circuit, run.plan, f.program, held),
                    backend,
                    Transpiling(level),
                )
                for held in ([()] if midway else ways_to_hold(f))
            },
            midway,
        )
        for f in run.fragments
    ]


def every_variant(fragment, shots, seed=1):
    count = fragment.num_variants
    return ShotRequest(np.arange(count), np.full(count, shots), (seed, fragment.program.id))


def assert_measures_last(circuit):
    names = [step.name for step in circuit.data]
    count = names.count("measure")
    assert set(names[len(names) - count :]) <= {"measure"}
    qubits = [step.qubits for step in circuit.data if step.name == "measure"]
    assert len(set(qubits)) == count


def distribution(spliced):
    """(outcomes, bit strings) of a circuit, exactly: every measurement is put off to the end."""
    circuit = spliced.circuit
    qubits = sorted({circuit.find_bit(q).index for step in circuit.data for q in step.qubits})
    place = {qubit: k for k, qubit in enumerate(qubits)}
    later = QuantumCircuit(len(qubits) + circuit.num_clbits)
    bits = range(len(qubits), later.num_qubits)
    for step in circuit.data:
        on = [place[circuit.find_bit(q).index] for q in step.qubits]
        if step.name == "measure":
            later.cx(on[0], bits[circuit.find_bit(step.clbits[0]).index])
        else:
            later.append(step.operation, on)
    weights = Statevector(later).probabilities(list(bits)) if len(bits) else np.ones(1)
    strings = (np.arange(len(weights))[:, None] >> np.arange(len(bits))) & 1
    out = np.zeros(1 << (spliced.num_outcome_bits + spliced.num_local))
    np.add.at(out, spliced.hits(strings.astype(bool)), weights)
    return out.reshape(1 << spliced.num_outcome_bits, -1)


def wanted(batch, variant, measured):
    """What a simulator makes of the variant, over the qubits that are measured."""
    full = batch.probabilities(variant)
    mask = sum(1 << qubit for qubit in measured)
    out = np.zeros_like(full)
    for string in range(full.shape[1]):
        out[:, string & mask] += full[:, string]
    return out


def assert_same(circuit, run, backend, level, values=None, picked=5, made=None, *, midway=True):
    made = made or templates(circuit, run, backend, level, midway=midway)
    for k, fragment in enumerate(run.fragments):
        template = made[k].bound(values or {})
        batch = Batch(fragment)
        count = fragment.num_variants
        some = np.random.default_rng(k).choice(count, min(picked, count), replace=False)
        for variant in some.tolist():
            spliced = splice(fragment, template, variant)
            if not midway:
                assert_measures_last(spliced.circuit)
            expected = wanted(batch, variant, spliced.measured)
            np.testing.assert_allclose(distribution(spliced), expected, atol=1e-9)
