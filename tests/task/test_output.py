"""What tasks write reaches the notebook: all of it, in order, while they run."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pilot_kernel.errors import PilotError
from pilot_kernel.task.process.streams import emit
from pilot_kernel.task.wire.record import TaskState
from pilot_kernel.task.worker.output import LIMIT, Gathered
from tests.conftest import PATIENCE_S, wait_until, worker_pids


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


def test_it_is_in_order_however_late_the_worker_gets_to_read_it(session, lone_worker):
    """As on a machine with much else to do: it is stopped while all of it is written."""
    worker = worker_pids(session)[f"{lone_worker}-0"]

    def talk():
        os.kill(worker, signal.SIGSTOP)
        threading.Timer(0.5, os.kill, (worker, signal.SIGCONT)).start()
        os.system("echo one")
        print("two")
        os.system("echo three >&2")
        print("four", file=sys.stderr)

    task = session.submit(talk, on=lone_worker)
    task.result(PATIENCE_S)
    assert task.output.text().split() == ["one", "two", "three", "four"]


def test_what_goes_on_writing_or_is_not_read_holds_up_nobody(session):
    """A process in the background, and a pipe that a task has put in the place of its output."""

    def talk():
        with subprocess.Popen(["sh", "-c", "while :; do echo n; done"]) as noise:
            time.sleep(0.1)  # it is at it by then
            print("one")
            print("two", file=sys.stderr)
            noise.kill()
        kept = os.dup(1)
        out, into = os.pipe()
        os.dup2(into, 1)
        os.write(1, b"unread")
        print("three", file=sys.stderr)
        os.dup2(kept, 1)
        return os.read(out, 100)

    task = session.submit(talk)
    assert task.result(PATIENCE_S) == b"unread"
    assert "one" in task.output.text("stdout")  # its line may end after some noise
    assert task.output.text("stderr").split() == ["two", "three"]


def test_text_that_is_no_utf8_arrives_escaped(session):
    def talk():
        print("caf\udce9 \ud800", "é")
        print("\udcff", file=sys.stderr)
        os.write(1, b"raw \xe9 \xc3\xa9\n")

    task = session.submit(talk)
    task.result()
    assert task.output.text("stdout") == "caf\\udce9 \\ud800 é\nraw \\xe9 é\n"
    assert task.output.text("stderr") == "\\udcff\n"


def test_output_and_state_come_while_a_call_holds_the_interpreter_lock(
    session, lone_worker, tmp_path
):
    """And so do the worker's heartbeats, which did not when tasks were threads of it."""
    ran, pipe = tmp_path / "ran", tmp_path / "pipe"
    os.mkfifo(pipe)

    def hold(path, pipe):
        import ctypes

        with open(path, "a") as file:
            file.write("x")
        print("before", end="")
        libc, got = ctypes.PyDLL(None), ctypes.create_string_buffer(1)
        descriptor = libc.open(pipe.encode(), os.O_RDONLY)  # waits, and keeps the lock
        libc.read(descriptor, got, 1)
        return got.raw

    task = session.submit(hold, str(ran), str(pipe), on=lone_worker)
    wait_until(lambda: task.output.text() == "before")
    assert task.state is TaskState.RUNNING
    wait_until(lambda: task.record.state is TaskState.RUNNING)
    with open(pipe, "wb", buffering=0) as end:  # it is in one of the two calls by now
        heard = set()
        wait_until(lambda: heard.add(_last_heard(session, lone_worker)) or len(heard) > 3)
        assert not task.done()
        end.write(b"e")
    assert task.result(PATIENCE_S) == b"e"
    assert task.record.deaths == 0
    assert ran.read_text() == "x"


def _last_heard(session, pilot):
    """When the agent has heard from a pilot's first worker last."""

    def look(dask_scheduler):
        return dask_scheduler.workers[dask_scheduler.aliases[f"{pilot}-0"]].last_seen

    return session._link.client.run_on_scheduler(look)


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
