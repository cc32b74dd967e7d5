"""What tasks write reaches the notebook: all of it, in order, while they run."""

import os
import subprocess
import sys
import threading
import time

import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError
from pilot_kernel.task.process.streams import emit
from pilot_kernel.task.wire.record import TaskState
from pilot_kernel.task.worker.output import LIMIT, Gathered
from tests.conftest import wait_until


def _everything():
    print("one")
    subprocess.run(["sh", "-c", "echo two; echo three >&2"], check=True)
    print("four", file=sys.stderr)
    os.write(1, b"five\n")
    print("six")
    os.write(2, b"seven\n")
    sys.stdout.buffer.write(b"eight\n")
    emit("display", '{"text": "nine"}')
    print("ten")
    thread = threading.Thread(target=print, args=("eleven",))
    thread.start()
    thread.join()
    os.system("echo twelve")
    print("thirteen")


def test_all_that_is_written_arrives_in_order(session):
    task = session.submit(_everything)
    task.result()
    chunks, _ = task.output.since(0)
    assert task.output.text("stdout").split() == [
        *("one", "two", "five", "six", "eight", "ten", "eleven", "twelve", "thirteen"),
    ]
    among = [word for word in task.output.text().split() if word != "three"]  # beside "two"
    assert among[:4] == ["one", "two", "four", "five"]
    assert among[4:7] == ["six", "seven", "eight"]
    assert task.output.text("stderr").split() == ["three", "four", "seven"]
    assert [text for stream, text in chunks if stream == "display"] == ['{"text": "nine"}']
    at = [text for _, text in chunks].index('{"text": "nine"}')
    assert chunks[at - 1][1].endswith("eight\n")
    assert chunks[at + 1][1].startswith("ten\n")


def test_text_that_is_no_utf8_arrives_escaped(session):
    def talk():
        print("caf\udce9 \ud800", "é")
        print("\udcff", file=sys.stderr)
        os.write(1, b"raw \xe9 \xc3\xa9\n")

    task = session.submit(talk)
    task.result()
    assert task.output.text("stdout") == "caf\\udce9 \\ud800 é\nraw \\xe9 é\n"
    assert task.output.text("stderr") == "\\udcff\n"


def test_output_and_state_come_while_a_call_holds_the_interpreter_lock(tmp_path, monkeypatch):
    """For longer than Dask waits for a heartbeat, which it did not get when tasks were threads."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "2s")
    ran = tmp_path / "ran"

    def hold(path):
        import collections
        import itertools

        with open(path, "a") as file:
            file.write("x")
        print("before", end="")
        began = time.monotonic()
        count = 10**7
        while time.monotonic() - began < 5:  # calls of a second or more, without a break between
            collections.deque(itertools.repeat(None, count), maxlen=0)
            count = 10**8
        return "held"

    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=1)
        task = session.submit(hold, str(ran))
        wait_until(lambda: task.output.text() == "before")
        assert task.state is TaskState.RUNNING
        wait_until(lambda: task.record.state is TaskState.RUNNING)
        assert not task.done()
        assert task.result(60) == "held"
        assert task.record.deaths == 0
    assert ran.read_text() == "x"


def test_the_streams_of_the_next_task_are_whole_again(session):
    pilot = session.add_pilot("local://", cores_per_node=1, name="alone")

    def spoil():
        sys.stdout = None
        sys.stderr.close()
        print("lost", file=sys.__stderr__)

    def talk():
        print("out")
        print("err", file=sys.stderr)

    session.submit(spoil, on="alone").result()
    task = session.submit(talk, on="alone")
    task.result()
    pilot.stop()
    assert task.output.text() == "out\nerr\n"


def test_a_process_that_a_task_forks_prints_too_and_answers_nothing(session):
    def fork():
        print("parent")
        pid = os.fork()
        if not pid:
            print("child")
            return "from the child"
        os.waitpid(pid, 0)
        return "from the parent"

    task = session.submit(fork)
    assert task.result(20) == "from the parent"
    assert sorted(task.output.text().split()) == ["child", "parent"]
    assert session.submit(pow, 2, 3).result() == 8


def test_what_c_code_has_in_its_buffers_is_not_lost(session):
    import ctypes

    def talk():
        ctypes.CDLL(None).printf(b"from C\n")

    task = session.submit(talk)
    task.result()
    assert task.output.text() == "from C\n"


def test_output_of_c_code_is_in_order_with_what_python_prints(session):
    """Also where it is on the same line, and where nobody has flushed it."""
    import ctypes

    def talk():
        c = ctypes.CDLL(None)
        print("1 Python")
        c.printf(b"2 C\n")
        print("3 Python, ", end="")
        c.printf(b"4 C, ")
        os.system("printf '5 shell, '")
        print("6 Python")
        c.puts(b"7 C")
        subprocess.run(["sh", "-c", "(echo 8 grandchild) | cat"], check=True)
        c.printf(b"9 C, no end")

    task = session.submit(talk)
    task.result()
    told = task.output.text("stdout").replace("4 C, 5 shell, ", "5 shell, 4 C, ")  # C has no flush
    assert told == (
        "1 Python\n2 C\n3 Python, 5 shell, 4 C, 6 Python\n7 C\n8 grandchild\n9 C, no end"
    )


def test_lines_of_c_code_come_while_it_runs(session, tmp_path):
    """Not when its buffer of four kilobytes is full."""
    import ctypes

    def talk(gate):
        ctypes.CDLL(None).printf(b"under way\n")
        while not os.path.exists(gate):
            time.sleep(0.01)

    task = session.submit(talk, str(tmp_path / "gate"))
    wait_until(lambda: task.output.text() == "under way\n")
    assert not task.done()
    (tmp_path / "gate").touch()
    task.result()
    assert task.output.text() == "under way\n"


def test_emit_says_that_it_wants_a_task():
    with pytest.raises(PilotError, match="inside a task"):
        emit("stdout", "nowhere")


def test_chunks_are_merged_and_cut_and_never_those_of_other_kinds():
    gathered = Gathered()
    for stream, text in [("stdout", "a"), ("stdout", "b"), ("display", "c"), ("display", "d")]:
        gathered.add(stream, text)
    gathered.add("stderr", "x" * (LIMIT - 5))
    gathered.add("display", "{" * 3)
    gathered.add("stdout", "end of it")
    gathered.add("display", "more")
    assert gathered.take() == [
        ("stdout", "ab"),
        ("display", "c"),
        ("display", "d"),
        ("stderr", "x" * (LIMIT - 5)),
    ]
    assert gathered.finish() == [("stderr", "\n[16 characters more were printed and not kept]\n")]
