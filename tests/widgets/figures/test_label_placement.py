"""Words beside points lie across nothing, wherever points are."""

from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.widgets.figures.label_placement import AREA, Box, Word, sides

SPOTS = st.lists(st.tuples(st.floats(0, AREA[0]), st.floats(0, AREA[1])), max_size=20)


def extent(word, side):
    """Where a word is, by the meaning of its anchor."""
    wide = 6.4 * word.letters
    part = {"left": 0.0, "center": 0.5, "right": 1.0}[side.xanchor]
    left, middle = word.x + side.xshift - part * wide, word.y + side.yshift
    return left, left + wide, middle - 7, middle + 7


def apart(one, other):
    return one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


@given(SPOTS, st.integers(1, 12))
def test_words_lie_across_no_marker_and_no_other_word(spots, letters):
    marks = [Box(x - 7, x + 7, y - 7, y + 7) for x, y in spots]
    words = [Word(x, y, letters) for x, y in spots]
    places = sides(words, marks)
    kept = [
        extent(word, side) for word, side in zip(words, places, strict=True) if side is not None
    ]
    for k, one in enumerate(kept):
        assert all(apart(one, (m.left, m.right, m.low, m.high)) for m in marks)
        assert all(apart(one, other) for other in kept[:k])


@given(SPOTS.filter(bool))
def test_what_must_be_written_is_written_and_words_without_need_are_left_out(spots):
    everything = Box(-999, 999, -999, 999)
    asked = [Word(x, y, 5, must=k == 0) for k, (x, y) in enumerate(spots)]
    first, *rest = sides(asked, [everything])
    assert first is not None
    assert set(rest) <= {None}
