"""The arrays of a pass: which amplitudes a tile holds, and the phases of its diagonals."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.passes.gates import read_gates
from qdreamer_lab.engine.passes.plan import PassCosts
from qdreamer_lab.engine.passes.tile_arrays import lay_out
from tests.engine.programs import expected_states, programs, two_qubits

DOUBLE = np.dtype(np.float64)


def offsets(bits, places):
    """Σ of places[k] over the bits k of each number that are set."""
    return [
        sum(place for k, place in enumerate(places) if number >> k & 1) for number in range(bits)
    ]


@settings(max_examples=100, deadline=None)
@given(programs(most_qubits=11), st.sampled_from([6, 8, 15]))
def test_tiles_cover_what_was_touched_once_and_read_what_was_there(program, tile_bits):
    width, steps = program
    gates, coefficients = read_gates(steps, {})
    before = 0
    for laid in lay_out(width, gates, PassCosts(tile_bits=tile_bits)):
        step, tile = laid.step, laid.with_coefficients(coefficients, DOUBLE)
        run = len(tile.spread)
        memory = (tile.sources[:, None] + np.arange(run)).ravel()
        places = (tile.targets[:, None] + tile.spread).ravel()
        assert sorted(places.tolist()) == list(range(1 << len(step.qubits)))
        # Where an amplitude lies in the tile is told by the qubits of the tile's bits.
        expected = offsets(1 << len(step.qubits), [1 << qubit for qubit in step.qubits])
        assert memory[np.argsort(places)].tolist() == expected
        outer = offsets(1 << len(tile.outer), tile.outer.tolist())
        every = sorted(base + at for base in outer for at in memory.tolist())
        assert every == [x for x in range(1 << width) if x & ~step.touched == 0]
        read = (tile.sources[: tile.loaded, None] + np.arange(run)).ravel().tolist()
        there = [x for x in memory.tolist() if x & ~before == 0] if before else []
        assert sorted(read) == sorted(there)
        assert not tile.plain or tile.spread.tolist() == list(range(run))
        before = step.touched


@settings(deadline=None)
@given(st.integers(0, 99))
def test_a_phase_table_is_the_product_of_its_diagonals(seed):
    rng = np.random.default_rng(seed)
    pairs = [(k, k + 1) for k in range(7)]  # so that the pass holds all qubits
    pairs += [rng.choice(8, 2, replace=False).tolist() for _ in range(5)]
    steps = [two_qubits(rng, "diagonal", *pair) for pair in pairs]
    gates, coefficients = read_gates(steps, {})
    [laid] = lay_out(8, gates, PassCosts(start_ns=1e12))
    step, tile = laid.step, laid.with_coefficients(coefficients, DOUBLE)
    phases = np.ones(256, complex)
    for number in range(len(tile.kinds)):
        at, entry, run = tile.first[number], tile.entries[number], tile.ranks[number]
        starts = tile.starts[entry : entry + 256 // run]
        table = (tile.real + 1j * tile.imag)[at:]
        phases *= table[(starts[:, None] + np.arange(run)).ravel()]
    sent = np.zeros(256, int)
    for bit, qubit in enumerate(step.qubits):
        sent |= (np.arange(256) >> bit & 1) << qubit
    flat = np.ones((1, 256), complex)
    for each in steps:
        low, high = each.qubits
        x = np.arange(256)
        flat *= each.matrices[0].diagonal()[(x >> low & 1) + 2 * (x >> high & 1)]
    np.testing.assert_allclose(phases, flat[0][sent], rtol=1e-14)


def test_twins_agree_without_any_kernel():
    """A pass by NumPy alone, from its arrays, is what the steps come to."""
    rng = np.random.default_rng(3)
    steps = [two_qubits(rng, "dense", *pair) for pair in ((0, 1), (1, 2), (6, 2), (0, 6))]
    gates, coefficients = read_gates(steps, {})
    state = np.zeros(128, complex)
    for laid in lay_out(7, gates, PassCosts(tile_bits=7)):
        step, tile = laid.step, laid.with_coefficients(coefficients, DOUBLE)
        memory = (tile.sources[:, None] + np.arange(len(tile.spread))).ravel()
        places = (tile.targets[:, None] + tile.spread).ravel()
        for item in range(1 << len(tile.outer)):
            base = sum(int(o) for k, o in enumerate(tile.outer) if item >> k & 1)
            local = np.zeros(1 << len(step.qubits), complex)
            read = tile.loaded * len(tile.spread)
            local[places[:read]] = state[base + memory[:read]]
            local[0] += tile.loaded == 0
            for number in range(len(tile.kinds)):
                at = tile.first[number]
                matrix = (tile.real + 1j * tile.imag)[at : at + 16].reshape(4, 4)
                low, high = tile.bits[number]
                x = np.arange(len(local))
                index = (x >> low & 1) + 2 * (x >> high & 1)
                base_x = x & ~(1 << low) & ~(1 << high)
                mates = [base_x | (k & 1) << low | (k >> 1) << high for k in range(4)]
                local = sum(matrix[index, k] * local[mates[k]] for k in range(4))
            state[base + memory] = local[places]
    np.testing.assert_allclose(state, expected_states(7, steps)[0], atol=1e-14)
