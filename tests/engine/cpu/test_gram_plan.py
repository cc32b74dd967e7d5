"""Plans of Gram matrices: every string, block and pair of rows occurs once, within the limits."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab.engine.cpu import gram_plan
from qdreamer_lab.engine.cpu.gram_plan import BLOCK, PauliString, plan_gram, tiles


@st.composite
def cases(draw):
    num_qubits = draw(st.integers(0, 16))
    masks = st.integers(0, (1 << num_qubits) - 1)
    strings = draw(st.lists(st.tuples(masks, masks), min_size=1, max_size=40))
    return (
        tuple(PauliString(*masks) for masks in strings),
        1 << num_qubits,
        draw(st.integers(1, 70)),
        draw(st.booleans()),
    )


@settings(deadline=None)
@given(cases())
def test_every_string_and_every_block_occurs_once(case):
    strings, size, rows, hermitian = case
    block = min(size, BLOCK)
    plan = plan_gram(strings, rows, rows, size, hermitian=hermitian)
    numbers = [k for planned in plan.sweeps for k in planned.sweep.numbers.tolist()]
    assert sorted(numbers) == list(range(len(strings)))
    for sweep, phases, ranges in plan.sweeps:
        assert len(phases) == len(sweep.numbers) == len(sweep.strings)
        seen = []
        for number in range(sweep.frames):
            base = sum((number >> t & 1) << bit for t, bit in enumerate(sweep.free.tolist()))
            seen += [base ^ offset for offset in sweep.frame.tolist()]
        assert sorted(seen) == list(range(size // block))
        assert [begin for begin, _ in ranges] == [0, *(end for _, end in ranges[:-1])]
        assert ranges[-1][1] == sweep.frames


@settings(deadline=None)
@given(cases())
def test_groups_say_what_their_strings_are(case):
    strings, size, rows, hermitian = case
    block = min(size, BLOCK)
    plan = plan_gram(strings, rows, rows, size, hermitian=hermitian)
    for sweep, _, _ in plan.sweeps:
        for flip, place, first, end, start, last, _, needed in sweep.groups.tolist():
            parts = 0
            for k in range(first, end):
                string = strings[sweep.numbers[k]]
                assert string.flip == flip + block * sweep.frame[place]
                high, _, _, low, part = sweep.strings[k].tolist()
                assert low < last - start
                assert string.z == sweep.lows[start + low][1] + block * high
                parts |= part
                assert part == 1 + (string.flip & string.z).bit_count() % 2
            assert parts == needed


@given(st.integers(1, 200), st.integers(1, 200))
def test_tiles_cover_every_pair_of_rows_once(rows, columns):
    def covered(hermitian, columns):
        return sorted(
            (i, j)
            for tile in tiles(rows, columns, hermitian=hermitian)
            for i in range(tile.row, tile.row_end)
            for j in range(tile.column, tile.column_end)
        )

    assert covered(hermitian=False, columns=columns) == [
        (i, j) for i in range(rows) for j in range(columns)
    ]
    square = set(covered(hermitian=True, columns=rows))
    assert square | {(j, i) for i, j in square} == {
        (i, j) for i in range(rows) for j in range(rows)
    }


def test_flips_of_few_high_qubits_share_a_sweep():
    x = tuple(PauliString(1 << q, 0) for q in range(24))
    assert len(plan_gram(x[:15], 1, 1, 1 << 24, hermitian=True).sweeps) == 1
    assert len(plan_gram(x, 1, 1, 1 << 24, hermitian=True).sweeps) == 3
    z = tuple(PauliString(0, 1 << q) for q in range(24))
    assert len(plan_gram(z, 1, 1, 1 << 24, hermitian=True).sweeps) == 1


def test_blocks_and_sums_stay_within_their_limits():
    strings = tuple(PauliString(flip, 0) for flip in range(0, 1 << 14, 1 << 5))
    for rows in (1, 5, 16, 32, 500):
        plan = plan_gram(strings, rows, rows, 1 << 14, hermitian=False)
        for sweep, _, ranges in plan.sweeps:
            high = min(rows, gram_plan.ROWS)
            held = 16 * BLOCK * 2 * high * len(sweep.frame)
            assert held <= max(gram_plan._FRAME_BYTES, 64 * BLOCK * high)
            sums = 16 * high * high * len(sweep.numbers)
            assert sums <= gram_plan._SUMS_BYTES
            assert sums * len(ranges) <= 4 * gram_plan._SUMS_BYTES
