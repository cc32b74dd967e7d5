"""What is sent for a request: twirled circuits that do the same, calibration, jobs."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, coherent_unitary_error

from qdreamer_lab import CutEstimator
from qdreamer_lab.workload.sampled.device.orders import jobs_of, orders_of
from qdreamer_lab.workload.sampled.device.splice import all_alike, splice, twirled
from qdreamer_lab.workload.sampled.device.transpile import Forms
from qdreamer_lab.workload.sampled.shots import ShotRequest
from tests.workload.sampled.device.cut_devices import (
    DEVICES,
    IDEAL,
    Elsewhere,
    assert_measures_last,
    chain,
    line,
    templates,
)


def forms_of(mitigation, backend=DEVICES["line"], midway=True):
    circuit, run = chain(wire=False)
    fragment = run.fragments[0]
    (made, _) = templates(circuit, run, backend, midway=midway)
    return fragment, Forms(made.templates, made.midway, mitigation)


def gates_alone(circuit):
    left = circuit.remove_final_measurements(inplace=False)
    return Operator(left)


@pytest.mark.parametrize("device", ["line", "fractional"])
def test_twirled_circuits_do_the_same_in_the_devices_gates(device):
    backend = DEVICES[device]
    fragment, forms = forms_of((), backend, midway=False)
    spliced = splice(fragment, forms, 1)
    made = twirled(spliced.circuit, 8, np.random.SeedSequence(3), backend)
    assert len(made) == 8
    wanted = gates_alone(spliced.circuit)
    names = set()
    for each in made:
        assert gates_alone(each).equiv(wanted)
        assert set(each.count_ops()) <= set(backend.target.operation_names)
        assert each.count_ops()["measure"] == spliced.circuit.num_clbits
        assert [register.name for register in each.cregs] == ["bits"]
        names.add(str(each.draw("text")))
    assert len(names) > 4
    again = twirled(spliced.circuit, 8, np.random.SeedSequence(3), backend)
    assert [str(each.draw("text")) for each in again] == [str(e.draw("text")) for e in made]
    assert twirled(spliced.circuit, 1, np.random.SeedSequence(3), backend) == [spliced.circuit]


def test_what_a_device_without_such_gates_gets():
    backend = line("rz", "sx", "x", "rzz")
    fragment, forms = forms_of(("twirling",), backend)
    request = ShotRequest(np.arange(2), np.array([100, 100]), (1,))
    assert [order.shots for order in orders_of(request, [0, 1], forms, backend)] == [100, 100]
    assert fragment.num_variants > 2


@pytest.mark.parametrize("shots", [3, 8, 17, 40, 1000])
def test_shots_are_spread_over_twirls(shots):
    _, forms = forms_of(("twirling",))
    request = ShotRequest(np.array([4, 7]), np.array([shots, shots]), (1,), places=np.array([5, 6]))
    orders = orders_of(request, [0, 1], forms, IDEAL)
    assert len({order.number for order in orders}) == len(orders)
    for place in (0, 1):
        mine = [order for order in orders if order.place == place]
        assert sum(order.shots for order in mine) == shots
        assert [order.part for order in mine] == list(range(len(mine)))
        assert max(order.shots for order in mine) - min(order.shots for order in mine) <= 1
        assert len(mine) == 1 or shots >= 8 * len(mine)
        assert len(mine) <= 16
    elsewhere = orders_of(request, [0, 1], forms, Elsewhere())
    assert len({order.shots for order in elsewhere}) == 1
    assert sum(order.shots for order in elsewhere) > 0.85 * 2 * shots


def test_circuits_that_show_misread_qubits_go_in_one_more_job_at_most():
    _, plain = forms_of(())
    _, forms = forms_of(("readout",))
    shots = np.array([1000, 1000, 500, 500])
    request = ShotRequest(np.arange(4), shots, (1,))
    live = [0, 1, 3]
    jobs = {
        len(each.mitigation): jobs_of(orders_of(request, live, each, Elsewhere()), Elsewhere())
        for each in (plain, forms)
    }
    assert len(jobs[0]) == 2
    assert len(jobs[1]) == 3
    sent = {}
    for job in jobs[1]:
        assert len({count for _, count in job}) == 1
        for order, count in job:
            sent[order.place, order.part] = sent.get((order.place, order.part), 0) + count
    assert sent == {(0, 0): 1000, (1, 0): 1000, (3, 0): 500, (None, 0): 128, (None, 1): 128}


def test_they_prepare_and_read_what_they_say():
    _, forms = forms_of(())
    for bit in (0, 1):
        circuit = all_alike(forms, [3, 1], bit)
        assert isinstance(circuit, QuantumCircuit)
        assert isinstance(circuit.cregs[0], ClassicalRegister)
        assert_measures_last(circuit)
        assert set(circuit.count_ops()) <= set(DEVICES["line"].target.operation_names)
        counts = AerSimulator().run(circuit, shots=50, seed_simulator=1).result().get_counts()
        assert counts == {str(bit) * 2: 50}


class Turning(Elsewhere):
    """A device whose CX always turns a little too far."""

    def __init__(self):
        super().__init__(line("rz", "sx", "x", "cx").target)
        turn = QuantumCircuit(2)
        turn.rzx(0.25, 0, 1)
        turn.rx(0.2, 0)
        noise = NoiseModel()
        noise.add_all_qubit_quantum_error(coherent_unitary_error(Operator(turn)), "cx")
        self._simulator = AerSimulator(noise_model=noise)

    def run(self, run_input, **options):
        return self._simulator.run(run_input, **options)


def test_error_bars_include_how_twirled_circuits_differ():
    """Values scatter by more than shots would have it, since Paulis are drawn anew each time."""
    circuit, _ = chain(wire=False)
    circuit.cx(0, 1)
    circuit.ry(0.4, 0)
    circuit.cx(0, 1)
    device = Turning()
    found = []
    for seed in range(14):
        cut = CutEstimator(2, backend=device, shots=3000, seed=seed, mitigation="twirling")
        (result,) = cut.run([(circuit, ["ZZZ", "IZI", "IXZ"])]).result()
        found.append((result.data.evs, result.data.stds))
    values, stds = np.array(found).swapaxes(0, 1)
    ratio = values.var(axis=0, ddof=1).sum() / np.square(stds).mean(axis=0).sum()
    assert 0.4 < ratio < 1.9
