"""Real kernels: what is shown and when, interrupts."""

import re

from tests.conftest import wait_until

HOLD = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.01)\n"


def test_output_arrives_in_order_while_the_task_runs(kernel, tmp_path):
    gate = str(tmp_path / "gate")
    cell = f"%%ctask\nprint('first')\n{HOLD.format(gate)}for i in range(50): print(i)\n'end'"
    sent = kernel.send(cell)
    answer = kernel.read(sent, until=lambda a: "first" in a.text())
    assert "49" not in answer.text()
    open(gate, "w").close()
    answer = kernel.read(sent, answer=answer)
    assert answer.text() == "first\n" + "".join(f"{i}\n" for i in range(50))
    assert answer.result == "'end'"


def test_a_slow_cell_gets_a_status_line_and_a_quick_one_does_not(kernel, tmp_path):
    assert len(kernel.run("%%ctask --progress-after 600\n1").shown) == 1
    gate = str(tmp_path / "gate")
    sent = kernel.send(f"%%ctask --progress-after 0.1 --name slow\n{HOLD.format(gate)}")
    answer = kernel.read(sent, until=lambda a: a.shown)
    assert "slow" in answer.shown[0]["text/plain"]
    open(gate, "w").close()
    answer = kernel.read(sent, answer=answer)
    assert "DONE" in answer.updates[-1]["text/plain"]


def test_an_interrupt_cancels_and_leaves_the_session_usable(kernel):
    sent = kernel.send(
        "%%ctask --name held\nprint('on')\nimport time\nwhile True: time.sleep(0.01)"
    )
    answer = kernel.read(sent, until=lambda a: "on" in a.text())
    kernel.manager.interrupt_kernel()
    answer = kernel.read(sent, answer=answer)
    assert answer.traceback == "canceled: task 'held'"
    assert "CANCELED" in kernel.run("%tasks").result
    assert kernel.run("%%ctask\n1 + 1").result == "2"


def test_an_error_is_shown_once_with_the_cell_s_own_lines(kernel):
    answer = kernel.run("%%ctask\ndef f():\n    raise ValueError('told')\nf()")
    [error] = answer.errors
    assert (error["ename"], error["evalue"]) == ("ValueError", "told")
    assert "---->    3     raise ValueError('told')" in answer.traceback
    assert "Cell In[" in answer.traceback
    assert "pilot_kernel" not in answer.traceback
    assert answer.traceback.count("ValueError: told") == 1
    assert not answer.text("stderr")


def test_a_cell_in_the_background_keeps_its_picture_up_to_date(kernel, tmp_path):
    gate = str(tmp_path / "gate")
    cell = f"%%ctask --noblock --name later -o back\nprint('hello')\n{HOLD.format(gate)}back = 8\n9"
    [shown] = kernel.run(cell).shown
    assert "later" in shown["text/plain"]
    open(gate, "w").close()
    answer = kernel.run("r = %qresult later\nr, back")
    assert answer.result == "(9, 8)"
    last = answer.updates[-1]["text/plain"]  # it came before the cell that waited had ended
    assert last.splitlines()[0].startswith("✓ DONE later")
    assert last.splitlines()[1:] == ["hello", "9"]


def test_counts_are_a_picture(kernel):
    answer = kernel.run(
        "%%qtask --shots 100\nfrom qiskit import QuantumCircuit\nq = QuantumCircuit(1)\nq.h(0)\n"
        "q.measure_all()\nq"
    )
    assert "<div" in answer.shown[-1]["text/html"]
    assert "100 shots" in answer.shown[-1]["text/plain"]


def _overview(answer):
    """The latest update of the session's view, as text; cards of tasks are updated too."""
    views = [data for data in answer.updates if "<table" in data["text/html"]]
    return views[-1]["text/plain"] if views else ""


def test_a_session_is_shown_live_in_all_its_places_by_one_message(kernel, tmp_path):
    gate = str(tmp_path / "gate")
    kernel.run(f"%%ctask --noblock --name held\n{HOLD.format(gate)}1")
    kernel.run("import pilot_kernel\nsession = pilot_kernel.session()")
    [first] = kernel.run("session").displays
    [second] = kernel.run("%pilot").displays
    assert first["display_id"] == second["display_id"]
    kernel.read("", until=lambda a: "held" in _overview(a))
    kernel.run("session.add_pilot('local://', cores_per_node=1, name='more')\nNone")
    kernel.read("", until=lambda a: "more-0" in _overview(a))
    kernel.run("%pilot stop more")
    kernel.read("", until=lambda a: _overview(a) and "more-0" not in _overview(a))
    open(gate, "w").close()
    kernel.read("", until=lambda a: "nothing waits" in _overview(a) and "0 busy" in _overview(a))


def _at_work(text):
    """Whether some of 300 tasks run, as many as this machine has cores, and the others wait."""
    told = re.search(r"(\d+) running · (\d+) waiting", text)
    return told is not None and int(told[1]) + int(told[2]) == 300


def test_tasks_are_shown_live_until_they_have_ended(kernel, tmp_path):
    gate = str(tmp_path / "gate")
    kernel.run(
        "import pilot_kernel\nsession = pilot_kernel.session()\n"
        f"def hold(at):\n    import os, time\n    while not os.path.exists({gate!r}):"
        " time.sleep(0.01)\n"
        "many = [session.submit(hold, at, name='many') for at in range(300)]"
    )
    [shown] = kernel.run("%tasks").shown
    assert shown["text/plain"].count("many-") == 24
    kernel.read("", until=lambda a: _at_work(a.last))
    open(gate, "w").close()
    going_on = ("running", "waiting")  # between two tasks, none may be running for a moment
    seen = kernel.read(
        "", until=lambda a: "not shown" in a.last and not any(word in a.last for word in going_on)
    )
    assert "RUNNING" not in seen.last
    # The next cell hears of it too: nothing is shown to those who listen while a cell runs only.
    assert any("✓ DONE" in data["text/plain"] for data in kernel.run("1").updates)


def test_a_view_ends_with_its_cell_and_leaves_no_thread(kernel):
    threads = "import threading\nsum(t.name == 'pilot-views' for t in threading.enumerate())"
    views = "get_ipython()._pilot_kernel_live.refresher.views"
    kernel.run("get_ipython()._pilot_kernel_live.refresher.clear()")
    kernel.run("import pilot_kernel\nsession = pilot_kernel.session()")
    kernel.run("session", cell="a")
    kernel.run("session", cell="b")
    assert kernel.run(threads, cell="c").result == "1"
    kernel.run("0", cell="a")
    assert kernel.run(f"len({views})", cell="c").result == "1"
    kernel.run("0", cell="c", deleted=["b"])
    assert kernel.run(f"len({views})", cell="c").result == "0"
    wait_until(lambda: kernel.run(threads, cell="c").result == "0")


def test_a_session_that_is_closed_or_lost_says_so_where_it_was_shown(new_kernel, tmp_path):
    kernel = new_kernel(str(tmp_path / "closed.ipynb"))
    kernel.run("import pilot_kernel\nsession = pilot_kernel.session()\nsession.candidates()\nNone")
    kernel.run("session")
    answer = kernel.run("session.close()")
    kernel.read("", until=lambda a: "closed" in a.last, answer=answer)
    kernel.run("%pilot start")
    answer = kernel.run("import os\nos.kill(pilot_kernel.session()._link.entry.pid, 9)")
    kernel.read("", until=lambda a: "is gone" in a.last, answer=answer)
    assert "no session is open" in kernel.run("%pilot").result
    assert not kernel.run("%tasks").errors
    kernel.end()
