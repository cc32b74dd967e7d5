"""The store: what was put in comes out, or nothing; never too much; for its owner only."""

import os

import numpy as np
import pytest

from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.steps.store import Store, default_store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "kept")


def test_values_come_back_as_they_were(store):
    value = {"a": np.arange(50_000.0), "b": "words"}
    store.keep("k", "thing", value)
    found = Store(store.folder).value("k")
    np.testing.assert_array_equal(found["a"], value["a"])
    assert found["b"] == "words"
    found["a"][0] = 5.0  # arrays can be written to
    assert store.value("other") is None


@pytest.mark.parametrize("at", [0, 3, 20, 60, -1])
def test_a_damaged_result_counts_as_not_there(store, at):
    store.keep("k", "thing", list(range(100)))
    (path,) = store.folder.glob("*.result")
    raw = bytearray(path.read_bytes())
    raw[at] ^= 0x55
    path.write_bytes(raw)
    found = store.value("k")
    assert found is None or (found == list(range(100)) and at == 3)  # a letter of its name


def test_a_file_cut_short_counts_as_not_there(store):
    store.keep("k", "thing", 1)
    (path,) = store.folder.glob("*.result")
    for length in range(len(path.read_bytes())):
        path.write_bytes(path.read_bytes()[:length])
        assert store.value("k") is None
        store.keep("k", "thing", 1)


def test_what_was_used_longest_ago_goes_first(tmp_path):
    store = Store(tmp_path, most_bytes=3500)
    for number, key in enumerate("abc"):
        store.keep(key, key, bytes(1000))
        os.utime(tmp_path / f"{key}.result", (number, number))
    assert store.value("a") is not None  # now it is the one that was used last
    store.keep("d", "d", bytes(1000))
    assert {kept.key for kept in store.listed()} == {"a", "c", "d"}
    assert sum(kept.size for kept in store.listed()) <= 3500
    store.keep("huge", "huge", bytes(5000))
    assert store.value("huge") is None
    assert len(store.listed()) == 3


def test_it_is_shown_and_cleared(store):
    store.keep("k", "thing with ü", 1)
    store.note("n", {"x": 1})
    assert "1 results" in store.text()
    assert "thing with ü" in store.text()
    assert store.clear() == 1
    assert store.noted("n") is None
    assert store.listed() == []


def test_only_its_owner_can_read_it(store):
    store.keep("k", "thing", 1)
    assert store.folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in store.folder.iterdir())


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StepError, match="cannot be written to"):
        Store(tmp_path / "file" / "folder").keep("k", "thing", 1)


def test_the_default_store_is_where_one_says(tmp_path, monkeypatch):
    monkeypatch.setenv("QDREAMER_LAB_STORE", str(tmp_path))
    assert default_store().folder == tmp_path


def test_what_a_killed_process_left_is_cleared_away(store):
    store.keep("k", "thing", 1)
    old, new = (store.folder / f"{name}.draft" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(bytes(100))
    os.utime(old, (1, 1))
    store.keep("l", "thing", 2)
    assert not old.exists()
    assert new.exists()  # somebody may be writing it
    assert store.clear() == 2
    assert list(store.folder.iterdir()) == []


def test_somebody_elses_file_is_not_read(store, monkeypatch):
    store.keep("k", "thing", 1)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert store.value("k") is None
    monkeypatch.undo()
    assert store.value("k") == 1
