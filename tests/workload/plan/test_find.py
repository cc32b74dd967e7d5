"""The planner asks the finder well and understands its answer, also on odd input."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from numba.core import event
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qdreamer_lab import CutEstimator, cli, pareto, plan_cuts
from qdreamer_lab.errors import CircuitError, InfeasiblePlanError, PlanError
from qdreamer_lab.workload.cut.cuts import GateCut, WireCut
from qdreamer_lab.workload.plan import find
from tests.circuits.drawn import random_circuit
from tests.circuits.plain import cx_line, tilted_ghz


@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
@pytest.mark.parametrize("kinds", [("gate",), ("wire",), ("gate", "wire")])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_plans_of_every_model_and_kind_run_and_are_right(cost, kinds, seed):
    circuit = random_circuit(seed, 6, 9, general=True)
    observable = SparsePauliOp(["ZZXIYZ", "IXIIIZ"], [0.7, -0.2])
    # Wire cuts alone may need more room.
    plan = plan_cuts(circuit, 4 if "gate" in kinds else 5, cost=cost, kinds=kinds)
    allowed = {"gate": GateCut, "wire": WireCut}
    assert {type(cut) for cut in plan.cuts} <= {allowed[kind] for kind in kinds}
    got = CutEstimator(4, plan=plan).run([(circuit, observable)]).result()[0].data.evs
    assert got == pytest.approx(Statevector(circuit).expectation_value(observable).real, abs=1e-10)


@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
def test_a_plan_knows_its_price_and_the_bound(cost):
    plan = plan_cuts(random_circuit(3), 3, cost=cost)
    assert 0 <= plan.log2_lower_bound <= plan.log2_cost + 1e-6
    assert plan.cost == cost
    if plan.proven_optimal:
        assert plan.log2_cost == pytest.approx(plan.log2_lower_bound, abs=1e-6)
        assert "proven optimal" in plan.summary
    else:
        assert "of optimal" in plan.summary


def test_shared_cuts_cost_less():
    circuit = QuantumCircuit(4)
    circuit.rzz(0.7, 0, 2)
    circuit.rzz(0.7, 1, 3)
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    alone, shared = (plan_cuts(circuit, 2, cost=cost, kinds=("gate",)) for cost in ("lo", "joint"))
    sine = np.sin(0.7)
    assert alone.log2_overhead == pytest.approx(4 * np.log2(1 + 2 * sine))
    assert shared.log2_overhead == pytest.approx(2 * np.log2(2 * (1 + sine) ** 2 - 1))


def test_work_is_priced_besides_the_overhead():
    plan = plan_cuts(cx_line(8), 8, cost="work")
    assert plan.log2_overhead == pytest.approx(2 * sum(np.log2(cut.gamma) for cut in plan.cuts))
    assert "operations" in plan.summary


@pytest.mark.parametrize("max_fragments", [1, 2, 3])
def test_fragments_are_limited_in_number_when_asked(max_fragments):
    circuit = QuantumCircuit(9)
    circuit.compose(cx_line(3), range(3), inplace=True)
    circuit.compose(cx_line(3), range(3, 6), inplace=True)
    plan = plan_cuts(circuit, -(-9 // max_fragments), max_fragments=max_fragments)
    assert len(plan.fragments) <= max_fragments
    assert sum(f.width for f in plan.fragments) == 9
    assert plan.num_cuts == 0


def test_no_plan_names_the_smallest_width_that_works():
    with pytest.raises(InfeasiblePlanError, match="is 3") as caught:
        plan_cuts(cx_line(6), 2, max_fragments=2)
    assert caught.value.smallest_max_qubits == 3
    assert isinstance(caught.value, PlanError)
    assert plan_cuts(cx_line(6), 3, max_fragments=2).num_cuts == 1
    with pytest.raises(InfeasiblePlanError, match="every block must fit") as caught:
        plan_cuts(cx_line(3), 1, kinds=("wire",))
    assert caught.value.smallest_max_qubits == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_qubits": 0}, "max_qubits must be at least 1"),
        ({"max_qubits": True}, "max_qubits must be an integer"),
        ({"cost": "cheap"}, "cost must be one of 'lo', 'joint', 'locc', 'work', got 'cheap'"),
        ({"kinds": ()}, "kinds must be some of"),
        ({"kinds": "gate"}, "kinds must be some of"),
        ({"kinds": ("gate", "knot")}, "kinds must be some of"),
        ({"kinds": ({},)}, "kinds must be some of"),
        ({"cost": np.array(["lo", "joint"])}, "cost must be one of"),
        ({"cost": ["lo"]}, "cost must be one of"),
        ({"max_fragments": 0}, "max_fragments must be at least 1"),
        ({"max_fragments": 1.5}, "max_fragments must be an integer"),
        ({"time_limit_s": -1}, "time_limit_s must not be negative"),
        ({"time_limit_s": float("nan")}, "time_limit_s must not be negative"),
        ({"time_limit_s": "1"}, "time_limit_s must be a number"),
        ({"time_limit_s": True}, "time_limit_s must be a number"),
        ({"time_limit_s": 10**400}, "time_limit_s is too large for a number; math.inf"),
        ({"seed": None}, "seed must be an integer"),
        ({"seed": -1}, "seed must be between 0"),
        ({"rounds": -1}, "rounds must be at least 0, got -1"),
        ({"rounds": 1.5}, "rounds must be an integer"),
        ({"max_qubits": [2, 2], "rounds": True}, "rounds must be an integer"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    arguments = {"max_qubits": 2} | options
    with pytest.raises(PlanError, match=words):
        plan_cuts(cx_line(3), **arguments)


@pytest.mark.parametrize("seconds", [0, 0.5, np.float32(0.5), np.int64(0), np.inf])
def test_time_limits_are_numbers_of_any_type(seconds):
    assert plan_cuts(cx_line(3), 2, time_limit_s=seconds).num_cuts == 1


@pytest.mark.parametrize("huge", [2**40, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("cost", ["lo", "work"])
def test_widths_and_numbers_of_fragments_may_be_of_any_size(huge, cost):
    circuit = random_circuit(3, 5, 12)
    circuit.add_register(QuantumRegister(2))  # which need room of their own
    for widths, fragments in ((huge, None), (huge, huge), ([huge, 2, huge], None), (3, huge)):
        options = {"cost": cost, "max_fragments": fragments, "time_limit_s": 0.0}
        plan = plan_cuts(circuit, widths, **options, observables="Z" * 7)
        assert sum(fragment.width for fragment in plan.fragments) >= 7
    front = pareto(circuit, [huge, 3], cost=cost, time_limit_s=0.0)
    assert front[0].log2_cost <= front[1].log2_cost


def broken_circuits():
    measured = QuantumCircuit(2, 1)
    measured.cx(0, 1)
    measured.measure(1, 0)
    measured.cx(0, 1)
    yield measured, r"instruction 1 \(measure on qubit 1\) is a mid-circuit measurement"
    reset = QuantumCircuit(2)
    reset.cx(0, 1)
    reset.reset(0)
    yield reset, r"instruction 1 \(reset on qubit 0\) resets a qubit that gates"
    control = QuantumCircuit(2, 1)
    control.h(0)
    with control.if_test((0, 1)):
        control.x(1)
    yield control, r"instruction 1 \(if_else on .*classical control"
    unbound = QuantumCircuit(2)
    unbound.rzz(Parameter("theta"), 0, 1)
    yield unbound, "unbound parameters: theta"
    yield QuantumCircuit(), "no qubits"


@pytest.mark.parametrize(("circuit", "words"), list(broken_circuits()))
def test_circuits_that_cannot_be_cut_are_refused(circuit, words):
    with pytest.raises(CircuitError, match=words):
        plan_cuts(circuit, 1)
    with pytest.raises(CircuitError, match=words):
        pareto(circuit, [1])


def test_classical_registers_are_in_nobodys_way():
    circuit = QuantumCircuit(QuantumRegister(4), ClassicalRegister(2))
    circuit.compose(cx_line(4), range(4), inplace=True)
    assert plan_cuts(circuit, 2).num_cuts == 1


def test_without_two_qubit_gates_there_is_nothing_to_cut():
    circuit = QuantumCircuit(5)
    circuit.h(range(5))
    plan = plan_cuts(circuit, 2)
    assert (plan.num_cuts, [f.width for f in plan.fragments]) == (0, [2, 2, 1])
    assert plan.proven_optimal
    assert [p.num_cuts for p in pareto(circuit)] == [0] * len(pareto(circuit))


def test_width_to_spare_means_no_cuts():
    plan = plan_cuts(cx_line(4), 100)
    assert (plan.num_cuts, plan.max_qubits, plan.proven_optimal) == (0, 100, True)


def test_without_time_there_is_still_a_plan():
    plan = plan_cuts(random_circuit(5, 8, 30), 3, time_limit_s=0)
    assert max(f.width for f in plan.fragments) <= 3


def test_the_seed_decides():
    circuit = random_circuit(8, 10, 40)
    one, two = (plan_cuts(circuit, 4, seed=7) for _ in range(2))
    assert np.array_equal(one.labels, two.labels)


def test_new_angles_take_back_what_was_proven():
    circuit = QuantumCircuit(3)
    angle = Parameter("a")
    circuit.rzz(angle, 0, 1)
    circuit.rzz(0.3, 1, 2)
    pub = (circuit, "XIX", [[0.1], [1.0]])
    plan = CutEstimator(2).run([pub]).result()[0].metadata["plan"]
    assert plan.proven_optimal
    other = plan.with_blocks(plan_cuts(circuit.assign_parameters([1.0]), 3).blocks)
    assert not other.proven_optimal


@pytest.mark.parametrize("cost", ["lo", "joint", "locc", "work"])
def test_wider_fragments_never_cost_more(cost):
    circuit = random_circuit(11, 9, 20)
    plans = pareto(circuit, cost=cost)
    widths = [plan.max_qubits for plan in plans]
    assert widths == sorted(set(widths))
    assert widths[-1] == 9
    costs = [plan.log2_cost for plan in plans]
    assert all(low <= high + 1e-9 for high, low in pairwise(costs))
    assert all(max(f.width for f in plan.fragments) <= plan.max_qubits for plan in plans)
    if cost != "work":
        assert plans[-1].num_cuts == 0


def test_pareto_keeps_the_order_of_the_widths():
    plans = pareto(cx_line(8), [8, 2, 4])
    assert [plan.max_qubits for plan in plans] == [8, 2, 4]
    assert [plan.num_cuts for plan in plans] == [0, 3, 1]
    assert [plan.max_qubits for plan in pareto(cx_line(8), range(3, 5))] == [3, 4]


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ([], "widths is empty"),
        ([3, -1], r"widths\[1\] must be at least 1, got -1"),
        ([0], r"widths\[0\] must be at least 1"),
        ([2.5], r"widths\[0\] must be an integer"),
        ([[3, 2]], r"widths\[0\] must be an integer, got \[3, 2\]; .* what plan_cuts takes"),
        ([4, {3: 2}], r"widths\[1\] must be an integer, got {3: 2}; .* what plan_cuts takes"),
        (5, "widths must be integers, one after the other, got 5"),
        ("34", "widths must be integers"),
        ({3: 1}, "widths must be integers"),
    ],
)
def test_widths_that_make_no_sense_are_refused(widths, words):
    with pytest.raises(PlanError, match=words):
        pareto(cx_line(8), widths)


def test_pareto_leaves_out_widths_for_which_there_is_no_plan():
    plans = pareto(cx_line(9), max_fragments=3)
    assert plans[0].max_qubits == 3
    with pytest.raises(InfeasiblePlanError):
        pareto(cx_line(9), [2, 9], max_fragments=3)


def test_pareto_begins_where_plans_that_cut_only_wires_do():
    circuit = QuantumCircuit(16)
    for k in range(1, 16):
        other = (k * 7) % 15 + 1
        circuit.cx(0, k)
        circuit.cx(k, other if other != k else 1 + k % 15)
    options = {"kinds": ("wire",), "max_fragments": 4, "time_limit_s": 1.0}
    plans = pareto(circuit, **options)
    assert plans[-1].num_cuts == 0
    for narrow, wide in pairwise(plans):
        assert narrow.max_qubits < wide.max_qubits
        assert wide.log2_cost <= narrow.log2_cost + 1e-9
    for plan in plans:
        assert len(plan.fragments) <= 4
        assert {type(cut) for cut in plan.cuts} <= {WireCut}
    for widths in (3, 4, [3] * 4):
        with pytest.raises(InfeasiblePlanError) as caught:
            plan_cuts(circuit, widths, **(options | {"max_fragments": 4}))
        smallest = caught.value.smallest_max_qubits
        again = [smallest] * 4 if isinstance(widths, list) else smallest
        assert len(plan_cuts(circuit, again, **options).fragments) <= 4


def test_pareto_tries_again_for_as_long_as_widths_grow(monkeypatch):
    asked = []

    def plans(blocks, widths, options):
        asked.append(widths)
        if widths[0] < 5:
            raise InfeasiblePlanError("too narrow", widths[0] + 1)
        return widths

    monkeypatch.setattr(find, "_plans", plans)
    assert pareto(cx_line(8)) == [5, 6, 7, 8]
    assert [widths[0] for widths in asked] == [2, 3, 4, 5]

    def never(blocks, widths, options):
        raise InfeasiblePlanError("too narrow", widths[0])

    monkeypatch.setattr(find, "_plans", never)
    with pytest.raises(InfeasiblePlanError):
        pareto(cx_line(8))


def test_a_search_that_compiles_says_so_once_in_a_process():
    code = (
        "import numba; from numba.core import event\n"
        "from qdreamer_lab.workload.cut.search_messages import searching\n"
        "with searching():\n    numba.njit(lambda x: x + 1)(1)\n    numba.njit(lambda x: x)(1)\n"
        "with searching():\n    numba.njit(lambda x: x + 2)(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("compiling kernels, once per installation") == 1


def test_once_warm_nothing_compiles(capsys):
    assert cli.main(["warm"]) == 0
    said = capsys.readouterr().out
    assert "step 4 of 4" in said
    assert "all kernels are compiled" in said
    circuit = random_circuit(4, 6, 9, general=True)
    with event.install_recorder("numba:compile") as recorder:
        for cost in ("lo", "joint", "locc", "work"):
            pareto(circuit, [2, 3, 4], cost=cost)
        plan_cuts(circuit, 3, kinds=("wire",))
        plan_cuts(random_circuit(5, 60, 900), 20, time_limit_s=0)
        CutEstimator(3).run([(circuit, "ZZZZXX")]).result()
        CutEstimator(2, mode="sampled", shots=9000).run([(cx_line(4), "ZZXX")]).result()
    assert not recorder.buffer


def test_a_plan_for_exact_mode_leaves_out_what_observables_are_carried_back_through():
    circuit, observable = tilted_ghz(6), "ZZZZZZ"
    for qubit in range(5):
        circuit.cx(qubit, qubit + 1)
    whole = plan_cuts(circuit, 3, observables=observable)
    left = plan_cuts(circuit, 3, observables=observable, exact=True)
    assert left.blocks.num_blocks < whole.blocks.num_blocks
    expected = Statevector(circuit).expectation_value(SparsePauliOp(observable)).real
    for plan in (whole, left):
        result = CutEstimator(3, plan=plan).run([(circuit, observable)]).result()[0]
        assert result.data.evs == pytest.approx(expected, abs=1e-12)
    with pytest.raises(PlanError, match="say which"):
        plan_cuts(circuit, 3, exact=True)
