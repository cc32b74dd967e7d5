"""Journals of evaluations: to the last bit, whatever was being written when the end came."""

import numpy as np
import pytest

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.variational.journal import Journal

CONFIGURATION = {"problem": "ising", "field": 0.1 + 0.2, "on": None, "starts": 2}
X = np.array([0.1, np.pi, -1e-300])


def written(path):
    with Journal(path, CONFIGURATION) as journal:
        journal.note(0, 0, X, (1 / 3, np.array([0.1, 2 / 3, 5e-324])))
        journal.note(1, 0, X + 1, (-0.7, None))
        assert journal.reused == 0


def test_numbers_come_back_to_the_last_bit(tmp_path):
    path = tmp_path / "journal"
    written(path)
    with Journal(path, CONFIGURATION) as journal:
        value, gradient = journal.recall(0, 0, X.copy())
        assert value == 1 / 3
        assert gradient.tolist() == [0.1, 2 / 3, 5e-324]
        assert journal.recall(1, 0, X + 1) == (-0.7, None)
        assert journal.recall(1, 1, X) is None
        assert journal.reused == 2


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_was_being_written_is_left_out(tmp_path, cut):
    path = tmp_path / "journal"
    written(path)
    path.write_bytes(path.read_bytes()[:-cut])
    with Journal(path, CONFIGURATION) as journal:
        assert journal.recall(0, 0, X) is not None
        assert journal.recall(1, 0, X + 1) is None
        journal.note(1, 0, X + 1, (-0.7, None))
    with Journal(path, CONFIGURATION) as journal:
        assert journal.recall(1, 0, X + 1) == (-0.7, None)


def test_another_configuration_is_refused_and_what_differs_is_named(tmp_path):
    path = tmp_path / "journal"
    written(path)
    other = {**CONFIGURATION, "field": 0.4, "layers": 3}
    with pytest.raises(
        MotifError,
        match=r"another configuration: field was 0\.30000000000000004 and is 0\.4; "
        r"layers was None and is 3\. ",
    ):
        Journal(path, other)
    Journal(path, CONFIGURATION).close()


def test_a_journal_has_one_user_at_a_time(tmp_path):
    path = tmp_path / "journal"
    with Journal(path, CONFIGURATION), pytest.raises(MotifError, match="another run is using it"):
        Journal(path, CONFIGURATION)
    Journal(path, CONFIGURATION).close()


@pytest.mark.parametrize(
    "text", ["hello\n", '{"a": 1}\n', "[]\n", "no end of line", "two\nlines", '{"form": "other"}\n']
)
def test_other_files_are_left_alone(tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(MotifError, match="no journal of this app"):
        Journal(path, CONFIGURATION)
    assert path.read_text() == text


@pytest.mark.parametrize("length", [0, 1, 10, 60])
def test_a_journal_whose_first_line_was_torn_begins_anew(tmp_path, length):
    path = tmp_path / "journal"
    written(path)
    path.write_bytes(path.read_bytes()[:length])
    with Journal(path, CONFIGURATION) as journal:
        assert journal.recall(0, 0, X) is None
        journal.note(0, 0, X, (1.0, None))
    with Journal(path, CONFIGURATION) as journal:
        assert journal.recall(0, 0, X) is not None


def test_damage_in_the_middle_is_told(tmp_path):
    path = tmp_path / "journal"
    written(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1][5:], lines[2]]))
    with pytest.raises(MotifError, match="line 2 is damaged"):
        Journal(path, CONFIGURATION)
    path.write_text("".join([lines[0], '{"start": 1}\n']))
    with pytest.raises(MotifError, match="line 2 is damaged"):
        Journal(path, CONFIGURATION)


def test_an_optimiser_that_goes_another_way_is_noticed(tmp_path):
    path = tmp_path / "journal"
    written(path)
    with (
        Journal(path, CONFIGURATION) as journal,
        pytest.raises(MotifError, match=r"evaluation 0 of start 0 .* another point"),
    ):
        journal.recall(0, 0, np.nextafter(X, 1))


def test_a_place_where_nothing_can_be_written(tmp_path):
    with pytest.raises(MotifError, match="No such file or directory"):
        Journal(tmp_path / "missing" / "journal", CONFIGURATION)


def test_without_a_file_nothing_is_kept():
    with Journal(None, CONFIGURATION) as journal:
        journal.note(0, 0, X, (1.0, None))
        assert journal.recall(0, 0, X) is None
