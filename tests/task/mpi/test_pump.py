"""What ranks write, line by line, without MPI."""

import os
import subprocess
import sys

import pytest

from pilot_kernel.task.mpi import pump
from pilot_kernel.task.mpi.pump import Pump
from pilot_kernel.task.wire.marked_lines import MarkedLines


def test_lines_are_whole_and_marked():
    lines = MarkedLines("[a] ")
    assert lines.add("one\ntw") == "[a] one\n"
    assert lines.unfinished
    assert lines.add("o") == ""
    assert lines.add("\n\nthree\r\n") == "[a] two\n[a] \n[a] three\r\n"
    assert not lines.unfinished
    assert lines.finish() == ""
    lines.add("no end")
    assert lines.finish() == "[a] no end\n"
    assert lines.finish() == ""


def pumped(code, *, shown=lambda: True, then=lambda: None):
    """What comes of a Python program's two streams, and a copy of the first."""
    got, copy = [], []

    def take(stream, text):
        got.append((stream, text))
        then()

    pumping = Pump(take)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    pumping.add(os.dup(process.stdout.fileno()), "stdout", "[0] ", copy)
    pumping.add(os.dup(process.stderr.fileno()), "stderr", "[1] ", None, shown)
    process.stdout.close()
    process.stderr.close()
    try:
        pumping.run(process)
    finally:
        pumping.close()
    return got, "".join(copy)


@pytest.fixture
def patient(monkeypatch):
    """Lines that are not finished are waited for, however late the rest of them is written."""
    monkeypatch.setattr(pump, "_UNFINISHED_S", 600.0)


@pytest.mark.usefixtures("patient")
def test_both_streams_are_read_to_their_end_when_the_process_ends():
    code = "import sys\nfor k in range(5000): print(k, 'x' * 100)\nsys.stderr.write('end')"
    got, copy = pumped(code)
    told = "".join(text for stream, text in got if stream == "stdout")
    assert told == "".join(f"[0] {k} {'x' * 100}\n" for k in range(5000))
    assert copy == told.replace("[0] ", "")
    assert [text for stream, text in got if stream == "stderr"] == ["[1] end\n"]


@pytest.mark.usefixtures("patient")
def test_text_that_is_no_utf8_or_comes_in_pieces_is_decoded():
    code = (
        "import os, time\n"
        "for part in (b'caf\\xc3', b'\\xa9 \\xff', b'\\n'):\n"
        "    os.write(1, part); time.sleep(0.05)"
    )
    got, copy = pumped(code)
    assert got == [("stdout", "[0] café \\xff\n")]
    assert copy == "café \\xff\n"


def test_a_line_that_is_not_finished_is_shown_after_a_while(tmp_path):
    seen = tmp_path / "seen"
    code = (
        "import os, time\nos.write(1, b'under way')\n"
        f"while not os.path.exists({str(seen)!r}): time.sleep(0.01)\n"
        "os.write(1, b', done\\n')"
    )
    got, copy = pumped(code, then=seen.touch)
    assert got == [("stdout", "[0] under way\n"), ("stdout", "[0] , done\n")]
    assert copy == "under way, done\n"


def test_what_a_launcher_says_can_be_kept_back():
    got, _ = pumped("import sys; print('a'); sys.stderr.write('noise')", shown=lambda: False)
    assert got == [("stdout", "[0] a\n")]


def test_a_process_that_goes_on_writing_does_not_hold_up_the_end():
    """A rank may have left something behind that holds on to its pipe."""
    code = "import subprocess; subprocess.Popen(['sleep', '5']); print('over')"
    got, _ = pumped(code)
    assert got == [("stdout", "[0] over\n")]
