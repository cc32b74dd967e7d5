"""Which gates are done together: every plan is legal, and good where that can be told."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.passes.gates import Gate, read_gates
from qdreamer_lab.engine.passes.plan import RUN_BITS, PassCosts, plan_passes
from qdreamer_lab.kernels.simulate.tile_pass import DENSE_TWO, DIAGONAL
from tests.engine.programs import programs


def plan(width, gates, **costs):
    return plan_passes(width, tuple(gates), PassCosts(**costs))


def _qubits(step, operation):
    return [step.qubits[bit] for bit in operation.bits]


@settings(max_examples=150, deadline=None)
@given(programs(most_qubits=12), st.sampled_from([3, 6, 9, 15]))
def test_every_plan_is_legal(program, tile_bits):
    width, steps = program
    gates, _ = read_gates(steps, {})
    passes = plan(width, gates, tile_bits=tile_bits)
    order = [number for each in passes for op in each.operations for number in op.gates]
    assert sorted(order) == list(range(len(gates)))
    place = {number: k for k, number in enumerate(order)}
    for first, second in itertools.combinations(range(len(gates)), 2):
        both_diagonal = gates[first].kind == gates[second].kind == DIAGONAL
        if gates[first].mask & gates[second].mask and not both_diagonal:
            assert place[first] < place[second]
    touched = 0
    for each in passes:
        tile = sum(1 << qubit for qubit in each.qubits)
        assert len(set(each.qubits)) == len(each.qubits)
        assert len(each.qubits) <= min(width, max(tile_bits, RUN_BITS + 2))
        assert tile & ((1 << min(width, RUN_BITS)) - 1) == (1 << min(width, RUN_BITS)) - 1
        assert each.fresh == tile & ~touched
        touched |= tile
        assert each.touched == touched
        for op in each.operations:
            qubits = {each.qubits[bit] for bit in op.bits}
            assert all(set(gates[number].qubits) <= qubits for number in op.gates)
        # Qubits that no gate mixes come lowest.
        mixed = {q for op in each.operations if op.kind != DIAGONAL for q in _qubits(each, op)}
        assert sorted(each.qubits, key=lambda q, mixed=mixed: q in mixed) == list(each.qubits)
    assert touched == (1 << width) - 1


def test_states_grow_with_a_chain_of_gates():
    """The first layer of a chain costs no more than its last gates: all else is done small."""
    width = 22
    chain = [Gate(DENSE_TWO, (k, k + 1)) for k in range(width - 1)]
    passes = plan(width, chain)
    assert sum(2 ** each.touched.bit_count() for each in passes) < 2 * 2**width
    last = [number for op in passes[-1].operations for number in op.gates]
    assert len(last) <= 2


def test_layers_need_far_fewer_passes_than_gates():
    width, layers = 24, 8
    gates = [Gate(DENSE_TWO, (k, k + 1)) for n in range(layers) for k in range(n % 2, width - 1, 2)]
    passes = plan(width, gates)
    whole = [each for each in passes if each.touched.bit_count() == width]
    assert len(passes) <= len(gates) / 8
    assert len(whole) <= 4


def test_all_diagonals_on_a_few_qubits_become_one():
    pairs = list(itertools.combinations(range(6), 2))
    passes = plan(6, [Gate(DIAGONAL, pair) for pair in pairs])
    assert [len(op.gates) for each in passes for op in each.operations] == [len(pairs)]


def test_diagonals_do_not_cross_what_mixes_their_qubits():
    gates = [
        Gate(DIAGONAL, (0, 1)),
        Gate(DENSE_TWO, (1, 2)),
        Gate(DIAGONAL, (0, 1)),
        Gate(DIAGONAL, (0, 3)),
    ]
    [each] = plan(4, gates)
    assert [op.gates for op in each.operations] == [(0, 3), (1,), (2,)]


def test_a_tile_is_only_as_large_as_it_must_be():
    [each] = plan(5, [Gate(DENSE_TWO, (0, 1))])
    assert each.qubits[-2:] == (0, 1)
    assert len(each.qubits) == 5


def test_costs_decide():
    """Dear passes make few of them, even where states would be smaller in more."""
    gates = [Gate(DENSE_TWO, (k, k + 1)) for k in range(15)]
    cheap, dear = plan(16, gates, start_ns=1.0), plan(16, gates, start_ns=1e9)
    assert len(dear) < len(cheap)
