"""Words beside points lie across nothing, wherever points are and however wide the figure is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.widgets.figures.label_placement import AREAS, Box, Layout, Word, sides

PARTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20)


def layouts_of(parts, letters, marks, must=()):
    """The same figure in all sizes."""
    found = []
    for area in AREAS:
        spots = [(area[0] * x, area[1] * y) for x, y in parts]
        words = [Word(*spot, letters, must=k in must) for k, spot in enumerate(spots)]
        found.append(Layout(area, words, marks(spots)))
    return found


def extent(word, side):
    """Where a word is, by the meaning of its anchor."""
    wide = 6.4 * word.letters
    part = {"left": 0.0, "center": 0.5, "right": 1.0}[side.xanchor]
    left, middle = word.x + side.xshift - part * wide, word.y + side.yshift
    return left, left + wide, middle - 7, middle + 7


def apart(one, other):
    return one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


@given(PARTS, st.integers(1, 12))
def test_words_lie_across_no_marker_and_no_other_word_in_any_size(parts, letters):
    def marks(spots):
        return [Box(x - 7, x + 7, y - 7, y + 7) for x, y in spots]

    layouts = layouts_of(parts, letters, marks)
    places = sides(layouts)
    for layout in layouts:
        kept = [
            extent(word, side)
            for word, side in zip(layout.words, places, strict=True)
            if side is not None
        ]
        for k, one in enumerate(kept):
            assert all(apart(one, (m.left, m.right, m.low, m.high)) for m in layout.taken)
            assert all(apart(one, other) for other in kept[:k])


@given(PARTS.filter(bool))
def test_what_must_be_written_is_written_and_words_without_need_are_left_out(parts):
    layouts = layouts_of(parts, 5, lambda spots: [Box(-999, 999, -999, 999)], must=(0,))
    first, *rest = sides(layouts)
    assert first is not None
    assert set(rest) <= {None}


@pytest.mark.parametrize("x", [0.5, 0.99])
def test_what_must_be_written_rather_touches_something_small_than_lies_along_a_line(x):
    def marks(spots):
        (x, y), wide = spots[0], 999
        bars = [Box(x - 3, x + 3, y - 60, y + 60), Box(x - 60, x - 57, y - 60, y + 60)]
        return [Box(0, wide, y - 2, y + 2), *bars, Box(x + 57, x + 60, y - 60, y + 60)]

    layouts = layouts_of([(x, 0.5)], 18, marks, must=(0,))
    (side,) = sides(layouts)
    for layout in layouts:
        low, high = extent(layout.words[0], side)[2:]
        line = layout.taken[0]
        assert low >= line.high or high <= line.low
