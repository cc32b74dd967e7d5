"""Plans of exchanges: right in order, and as few as an exhaustive search finds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.workflow.state_vector.stages import (
    PLANNERS,
    exchanged_share,
    look_ahead,
    swap_each_gate,
)
from qdreamer_lab.workflow.state_vector.wires import WireGate, gates_on_wires, rank_block
from tests.workflow.state_vector.small_states import (
    KINDS,
    SWAP,
    applied,
    dense_state,
    gate_lists,
)


def gates_of(lists, num_qubits):
    return gates_on_wires(num_qubits, lists)[0]


@st.composite
def planned(draw):
    num_qubits = draw(st.integers(3, 7))
    local = draw(st.integers(2, num_qubits))
    return num_qubits, local, gates_of(draw(gate_lists(num_qubits)), num_qubits)


def commute(a, b):
    """Whether two gates commute, by their matrices on all wires."""
    wires = sorted({*a.wires, *b.wires})
    place = {wire: k for k, wire in enumerate(wires)}
    basis = np.eye(1 << len(wires))

    def both(first, second):
        on = [applied(first.matrix, [place[w] for w in first.wires], row) for row in basis]
        return np.array([applied(second.matrix, [place[w] for w in second.wires], r) for r in on])

    return np.allclose(both(a, b), both(b, a), atol=1e-12)


@pytest.mark.parametrize("planner", sorted(PLANNERS))
@settings(max_examples=80)
@given(planned())
def test_every_gate_is_applied_once_where_its_wires_are_local(planner, case):
    num_qubits, local, gates = case
    stages = PLANNERS[planner](num_qubits, local, gates)
    assert stages[0].swaps == ()
    order = []
    places = list(stages[0].places)
    for stage in stages:
        for out, into in stage.swaps:
            a, b = places.index(out), places.index(into)
            assert into < local <= out
            places[a], places[b] = into, out
        assert tuple(places) == stage.places
        assert sorted(places) == list(range(num_qubits))
        for number in stage.gates:
            mixed = [wire for wire in range(num_qubits) if gates[number].mixed >> wire & 1]
            assert all(stage.places[wire] < local for wire in mixed)
        order += stage.gates
    assert sorted(order) == list(range(len(gates)))
    for a, b in itertools.combinations(order, 2):
        assert a < b or commute(gates[a], gates[b])


def fewest_exchanges(num_qubits, local, gates):
    """Breadth first over all sets of local wires, gates in their order."""
    sets = [sum(1 << w for w in each) for each in itertools.combinations(range(num_qubits), local)]

    def reach(at, here):
        while at < len(gates) and not gates[at].mixed & ~here:
            at += 1
        return at

    at, exchanges = max(reach(0, here) for here in sets), 0
    while at < len(gates):
        at, exchanges = max(reach(at, here) for here in sets), exchanges + 1
    return exchanges


@settings(max_examples=80)
@given(planned())
def test_no_more_exchanges_than_the_best_plan_that_keeps_the_order(case):
    num_qubits, local, gates = case
    found = look_ahead(num_qubits, local, gates)
    assert len(found) - 1 <= fewest_exchanges(num_qubits, local, gates)
    naive = swap_each_gate(num_qubits, local, gates)
    assert len(found) <= len(naive)
    assert exchanged_share(found) <= exchanged_share(naive)


def test_looking_ahead_pays_off_on_layers_of_a_brick_wall():
    rng = np.random.default_rng(0)
    n, local = 10, 7
    lists = []
    for layer in range(8):
        lists += [((q, q + 1), KINDS["dense"][1](rng)) for q in range(layer % 2, n - 1, 2)]
    gates = gates_of(lists, n)
    best, naive = look_ahead(n, local, gates), swap_each_gate(n, local, gates)
    assert exchanged_share(naive) / exchanged_share(best) > 5
    assert len(best) - 1 < fewest_exchanges(n, local, gates)  # commuting gates do not wait


def test_what_is_diagonal_on_the_bits_of_ranks_crosses_nothing():
    rng = np.random.default_rng(1)
    lists = [((q,), KINDS["one"][1](rng)) for q in range(4)]
    pairs = itertools.permutations(range(8), 2)
    lists += [(pair, KINDS["diagonal"][1](rng)) for pair in pairs]
    lists += [((q, 7), KINDS["keeps high"][1](rng)) for q in range(4)]
    lists += [((1, 6), SWAP), ((1, 2), KINDS["diagonal"][1](rng))]
    assert len(look_ahead(8, 4, gates_of(lists, 8))) == 1


def test_wires_that_are_never_needed_again_go_first():
    rng = np.random.default_rng(2)
    lists = [((q,), KINDS["one"][1](rng)) for q in (0, 1, 2, 3, 1, 2, 0)]
    first, second = look_ahead(4, 3, gates_of(lists, 4))
    assert first.gates == (0, 1, 2, 4, 5, 6)
    assert second.gates == (3,)


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 1000))
def test_what_a_gate_mixes_is_what_it_does_not_commute_with_z_on(kind, seed):
    count, make = KINDS[kind]
    matrix = make(np.random.default_rng(seed))
    gate = WireGate.of(tuple(range(count)), matrix)
    for qubit in range(count):
        z = np.diag([(-1.0) ** (row >> qubit & 1) for row in range(1 << count)])
        assert (gate.mixed >> qubit & 1) == (not np.allclose(z @ matrix, matrix @ z))


def test_blocks_of_ranks_put_together_are_the_gate():
    matrix = KINDS["keeps low"][1](np.random.default_rng(3))
    for bit in range(2):
        assert np.array_equal(rank_block(matrix, (bit, None)), matrix[bit::2, bit::2])
    assert rank_block(np.diag([1, 2, 3, 4]), (1, 0)) == 2


@given(gate_lists(5))
def test_swaps_trade_wires(lists):
    gates, wires = gates_on_wires(5, lists)
    found = dense_state(5, [(gate.wires, gate.matrix) for gate in gates])
    index = np.arange(32)
    moved = sum((index >> qubit & 1) << wire for qubit, wire in enumerate(wires))
    np.testing.assert_allclose(found[moved], dense_state(5, lists), atol=1e-13)
