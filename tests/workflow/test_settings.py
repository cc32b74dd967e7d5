"""Parameters as text: what goes in comes out, and what is wrong is named."""

from dataclasses import dataclass, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.settings import read_settings, setting_text


@dataclass(frozen=True)
class Some:
    count: int = 1
    size: float = 0.5
    word: str = "a"
    place: str | None = None
    flag: bool = False
    widths: tuple[int, ...] = (1, 2)


@given(
    st.builds(
        Some,
        count=st.integers(),
        size=st.floats(allow_nan=False),
        word=st.text("abc-_/.", min_size=1),
        place=st.none() | st.sampled_from(["cpu", "a,b"]),
        flag=st.booleans(),
        widths=st.lists(st.integers(), min_size=1).map(tuple),
    )
)
def test_what_is_written_is_read(some):
    texts = [f"{each.name}={setting_text(getattr(some, each.name))}" for each in fields(Some)]
    assert Some(**read_settings(Some, texts)) == some


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("count", "write it as key=value"),
        ("cuont=1", "there is no 'cuont'; keys are count, size"),
        ("count=1.5", "count is a whole number, not '1.5'"),
        ("size=x", "size is a number, not 'x'"),
        ("flag=maybe", "flag is yes or no"),
        ("widths=1,b", "widths is a whole number, not 'b'"),
        ("count=none", "count is a whole number"),
    ],
)
def test_what_is_wrong_is_named(text, complaint):
    with pytest.raises(MotifError, match=complaint):
        read_settings(Some, [text])
