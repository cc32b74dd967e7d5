"""What is shown of pilots and tasks: pure renderers on made-up data."""

import re
import threading
from dataclasses import dataclass, replace

import pytest
from pilot_kernel.jupyter.board import Board, Look
from pilot_kernel.jupyter.live import Keeper

from pilot_kernel.drawing.sparkline import binned, spark_svg, spark_text
from pilot_kernel.drawing.state_symbols import PILOT_MARKS, TASK_MARKS
from pilot_kernel.errors import AgentLostError
from pilot_kernel.jupyter.show.overviews import SessionView
from pilot_kernel.jupyter.show.pilot_rows import NO_PILOT, overview
from pilot_kernel.jupyter.show.refresh import cell_of, gone_cells
from pilot_kernel.jupyter.show.rows_html import overview_html, tasks_html
from pilot_kernel.jupyter.show.rows_text import overview_text, tasks_text
from pilot_kernel.jupyter.show.task_rows import NO_TASKS, chosen, task_list
from pilot_kernel.resource.activity import Activity, PilotActivity, Queue, WorkerActivity
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from pilot_kernel.task.wire.record import TaskRecord, TaskState
from tests.conftest import wait_until
from tests.drawing.test_results import Balance

GB = 10**9
TIMES = (1000.0, 1002.0, 1004.0)


def worker(name="<w>-0", **changes):
    usual = WorkerActivity(
        name, True, 0.3, None, None, 4 * GB, (0.0, 50.0, 100.0), (GB, 2 * GB, GB)
    )
    return replace(usual, **changes)


def pilot(*workers, name="<local>", state=PilotState.ACTIVE, wanted=None, **changes):
    up = sum(each.up for each in workers)
    status = PilotStatus(
        name, "local://", state, up, wanted or len(workers), 0, 1, ("CPU",), 4 * GB, None
    )
    usual = PilotActivity(
        status,
        sum(each.task is not None for each in workers),
        4 * GB * up,
        (0.0, 100.0, 200.0),
        (2 * GB, 4 * GB, 2 * GB),
        workers,
    )
    return replace(usual, **changes)


def shown(*pilots, queue=None, at=1004.5):
    return overview(Activity(at, TIMES, pilots, queue or Queue()))


def test_pilots_and_what_their_workers_are_at():
    seen = shown(
        pilot(worker(task="<bell>-12ab", task_s=75.6), worker("w-1")),
        queue=Queue(3, 2, 1, ("<next>-1", "then-2")),
    )
    assert seen.summary == "1 pilot · 2 of 2 workers up, 1 busy · 6 tasks waiting"
    assert seen.queue == (
        "waiting: 3 for a worker (next: <next>, then, …); 2 for other tasks; "
        "1 for a kind of worker of which none is up"
    )
    rows = [(row.name, row.mark.symbol, row.state, row.doing) for row in seen.rows]
    assert rows == [
        ("<local>", "▶", "ACTIVE 2/2", "local:// · cpu · 1 core, 4 GB each"),
        ("<w>-0", "●", "busy", "<bell> · 1 min 15 s"),
        ("w-1", "○", "idle", ""),
    ]
    gauges = [(row.cpu.now, row.cpu.before, row.memory.now, row.memory.before) for row in seen.rows]
    assert gauges == [
        ("100 %", "mean 50 %", "2 GB", "peak 4 GB"),
        ("100 %", "mean 50 %", "1 GB", "peak 2 GB"),
        ("100 %", "mean 50 %", "1 GB", "peak 2 GB"),
    ]
    assert seen.rows[1].cpu.label == "CPU of <w>-0 over the last 1 min: 100 % now, mean 50 %"


def test_html_and_text_say_the_same_and_escape_names():
    seen = shown(
        pilot(worker(task="<bell>-12ab", task_s=75.6)), queue=Queue(1, 0, 0, ("<next>-1",))
    )
    html, text = overview_html(seen), overview_text(seen)
    read = Balance(html).text
    for row in seen.rows:
        for fact in (row.name, row.state, row.doing, row.cpu.now, row.memory.now):
            assert fact in read
            assert fact in text
    assert seen.queue in read
    assert seen.queue in text
    assert "<bell>" not in html
    assert html.count("scope=row") == 2
    assert html.count("scope=col") == 5
    assert "<caption" in html
    labels = re.findall(r"<svg role='img' aria-label='([^']+)'", html)
    assert len(labels) == 4
    assert labels[1] == "memory of &lt;local&gt; over the last 1 min: 2 GB of 4 GB now, peak 4 GB"


def test_without_pictures_nothing_that_matters_is_lost():
    """Sites that show notebooks may take SVG out with all that is in it, or leave its text."""
    html = overview_html(shown(pilot(worker())))
    without = re.sub(r"<svg.*?</svg>", "", html)
    assert Balance(without).text == Balance(html).text
    assert "100 %" in Balance(without).text


@pytest.mark.parametrize(
    ("changes", "state", "doing"),
    [
        ({"up": False}, "lost", "being brought back"),
        ({"up": False, "cpu_percent": (None,) * 3}, "starting", ""),
        ({"silent_s": 42.9, "task": "bell-1"}, "silent for 42 s", "bell"),
        ({"task": "two-words-1f", "task_s": 0.4}, "busy", "two-words"),
    ],
)
def test_states_of_a_worker(changes, state, doing):
    row = shown(pilot(worker(**changes))).rows[1]
    assert (row.state, row.doing) == (state, doing)


def test_no_pilot():
    assert overview_text(shown()) == NO_PILOT
    assert Balance(overview_html(shown())).text == NO_PILOT


def test_all_workers_lost():
    lost = pilot(worker(up=False), worker("w-1", up=False))
    seen = shown(lost)
    assert seen.summary == "1 pilot · 0 of 2 workers up, 0 busy · nothing waits"
    assert [row.state for row in seen.rows] == ["ACTIVE 0/2", "lost", "lost"]
    assert {row.cpu.now for row in seen.rows} == {"-"}
    assert "0/2" in Balance(overview_html(seen)).text


def test_a_pilot_that_failed_says_so():
    seen = shown(pilot(worker(up=False, cpu_percent=(None,) * 3), state=PilotState.FAILED))
    assert seen.rows[0].state == "FAILED 0/1"
    assert "end before they are up" in seen.rows[0].doing
    assert seen.rows[1].cpu is None


def test_many_workers_are_summed_up():
    workers = [worker(f"w-{at}", task="t-1" if at < 9 else None) for at in range(16)]
    big = pilot(*workers, wanted=400)
    big = replace(big, busy=300, status=replace(big.status, workers=390))
    seen = shown(big)
    assert len(seen.rows) == 18
    last = seen.rows[-1]
    assert last.name == "and 384 more"
    assert last.doing == "374 up, 291 busy; the pilot's figures include them"
    assert len(overview_html(seen)) < 40_000


def test_the_window_grows_with_what_there_is():
    activity = Activity(1004.5, TIMES, (pilot(worker()),), Queue())
    assert overview(activity).window == "last 1 min"
    assert overview(replace(activity, at=1100.0)).window == "last 2 min"
    assert overview(replace(activity, at=1000.0 + 3000)).window == "last 5 min"
    assert overview(Activity(1.0, (), (), Queue())).window == "last 1 min"


def test_values_are_averaged_over_fixed_spans():
    times, values = (100.0, 104.0, 109.0, 110.0, 131.0), (1.0, 3.0, None, 8.0, 9.0)
    spans = binned(times, values, until=131.5, window_s=40, bins=4)
    assert spans == (2.0, 8.0, None, 9.0)
    later = binned(times, values, until=139.9, window_s=40, bins=4)
    assert later == spans  # the picture moves in whole steps
    assert binned(times, values, until=140.0, window_s=40, bins=4) == (8.0, None, 9.0, None)


def test_sparks():
    assert spark_text((0.0, None, 0.5, 1.0, 7.0)) == "▁ ▅██"
    drawn = spark_svg((0.0, 1.0, None, 0.5), "a 'b' <c>")
    Balance(drawn)
    assert "aria-label='a &#x27;b&#x27; &lt;c&gt;'" in drawn
    assert drawn.count("<polyline") == 2  # one for each side of the gap
    heights = [float(y) for y in re.findall(r",([\d.]+)[ ']", drawn)]
    assert min(heights) == 1
    assert max(heights) == 17
    assert "polyline" not in spark_svg((None, None), "nothing")
    level = spark_svg((0.5,) * 48, "level")
    assert len(level) < 600


def test_marks_differ_in_more_than_colour():
    for marks in (TASK_MARKS, PILOT_MARKS):
        assert {mark.symbol for mark in marks.values()} >= {"✓", "✗", "⊘"}
    assert set(TASK_MARKS) == set(TaskState)
    assert set(PILOT_MARKS) == set(PilotState)


# ---- tasks


@dataclass
class MadeUp:
    """What a list reads of a task."""

    key: str
    state: TaskState = TaskState.DONE
    progress: tuple = (1, 1)
    deaths: int = 0
    error: Exception | None = None

    @property
    def name(self):
        return self.key.rpartition("-")[0]

    def exception(self, timeout=None):
        return self.error


def test_tasks_are_rows():
    tasks = [
        MadeUp("<bell>-1", TaskState.DONE),
        MadeUp("scan-2", TaskState.RUNNING, (3, 8), deaths=1),
        MadeUp("bad-3", TaskState.FAILED, error=ValueError("a < b\nmore")),
        MadeUp("late-4", TaskState.WAITING),
    ]
    records = {
        record.key: record
        for record in (
            TaskRecord("<bell>-1", "<bell>", TaskState.DONE, 100, 101.5, 104.0, "local-0", "local"),
            TaskRecord("scan-2", "scan", TaskState.RUNNING, 100, 102.0, None, "local-1", "local"),
            TaskRecord("late-4", "late", TaskState.WAITING, 100),
        )
    }
    seen = task_list(tasks, records, 110.7)
    assert seen.summary == "1 running · 1 waiting · 1 failed · 1 done"
    assert not seen.left_out
    rows = [(r.key, r.where, r.waited_s, r.ran_s, r.done, r.parts, r.note) for r in seen.rows]
    assert rows == [
        ("late-4", "", 10, None, 1, 1, ""),
        ("bad-3", "", None, None, 1, 1, "ValueError: a < b"),
        ("scan-2", "local-1", 2.0, 8, 3, 8, "restarted after 1 lost worker"),
        ("<bell>-1", "local-0", 1.5, 2.5, 1, 1, ""),
    ]
    html, text = tasks_html(seen), tasks_text(seen)
    read = Balance(html).text
    for fact in ("<bell>", "WAITING", "RUNNING", "FAILED", "✓", "3/8", "local-1", "2.5 s", "a < b"):
        assert fact in read
        assert fact in text
    assert html.count("scope=row") == 4


def test_no_tasks():
    seen = task_list([], {}, 0.0)
    assert tasks_text(seen) == NO_TASKS
    assert Balance(tasks_html(seen)).text == NO_TASKS


def test_hundreds_of_tasks_make_a_short_list_with_what_runs_in_it():
    states = [TaskState.RUNNING] * 3 + [TaskState.WAITING] * 500
    places = chosen(states)
    assert places == [*range(502, 481, -1), 2, 1, 0]
    assert chosen([TaskState.RUNNING] * 500) == list(range(499, 475, -1))
    seen = task_list([MadeUp(f"t-{at}", state) for at, state in enumerate(states)], {}, 0.0)
    assert seen.left_out == "not shown: 479 waiting"
    assert len(tasks_html(seen)) < 25_000


# ---- live


def looks(*contents):
    """A look function that gives these one after the other, the last one for ever."""
    left = list(contents)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def content(essence, detail=0, over=False):
    return Look(f"<b>{essence} {detail}</b>", f"{essence} {detail}", essence, detail, over)


class Sent(list):
    """What was published, as (text, is an update)."""

    def __call__(self, bundle, display_id, update):
        self.append((bundle["text/plain"], update))
        self.id = display_id


def test_a_board_sends_what_is_new_and_nothing_else():
    sent = Sent()
    board = Board(looks(content("a"), content("a"), content("b"), content("b", 1)), sent)
    board.show()
    assert sent == [("a 0", False)]
    board.refresh()
    board.refresh()
    board.refresh()  # only the gauges moved, a moment after
    assert sent == [("a 0", False), ("b 0", True)]
    board.repeat()
    board.repeat()
    assert sent[2:] == [("b 0", True)]


def test_a_board_that_is_shown_before_there_is_anything_does_not_wait():
    ready, sent = threading.Event(), Sent()

    def look():
        ready.wait(30)
        return content("there")

    board = Board(look, sent)
    board.show()
    assert "fills in by itself" in sent[0][0]
    ready.set()
    board.refresh()
    assert sent[-1] == ("there 0", True)


def test_a_board_shown_twice_is_one_display():
    sent = Sent()
    board = Board(looks(content("a")), sent)
    board.show()
    first = sent.id
    board.show()
    assert sent.id == first


@pytest.fixture
def keeper():
    made = Keeper(period_s=0.01)
    yield made
    made.clear()
    wait_until(lambda: made._thread is None)


def test_a_view_is_refreshed_until_its_last_cell_is_gone(keeper):
    count = iter(range(10**9))
    sent = Sent()
    board = Board(lambda: content(next(count)), sent)
    board.show()
    keeper.keep(board, "one")
    keeper.keep(board, "two")
    wait_until(lambda: len(sent) > 3)
    keeper.forget({"one", "other"})
    assert keeper.views == [board]
    keeper.forget({"two"})
    assert keeper.views == []
    wait_until(lambda: keeper._thread is None)


def test_a_view_that_is_over_ends_the_thread_and_is_repeated_in_the_next_cell(keeper):
    sent = Sent()
    board = Board(looks(content("a"), content("end", over=True)), sent)
    board.show()
    keeper.keep(board, None)
    keeper.forget({"one"})  # where it is shown is not known: it stays
    wait_until(lambda: keeper._thread is None)
    assert sent == [("a 0", False), ("end 0", True)]
    keeper.settle()
    keeper.settle()
    assert sent[2:] == [("end 0", True)]


def test_a_view_can_be_kept_after_the_thread_has_ended(keeper):
    first, second = Sent(), Sent()
    for sent in (first, second):
        board = Board(looks(content("a"), content("end", over=True)), sent)
        board.show()
        keeper.keep(board, None)
        wait_until(lambda: keeper._thread is None)
        assert sent[-1] == ("end 0", True)


class Asked:
    """A shell in whose kernel a request is being answered."""

    def __init__(self, **metadata):
        self.metadata = metadata

    def get_parent(self):
        return {"metadata": self.metadata}


def test_the_request_says_which_cells_are_gone():
    assert gone_cells(Asked(cellId="a", deletedCells=["b", "c"])) == {"a", "b", "c"}
    assert cell_of(Asked(cellId="a")) == "a"
    assert gone_cells(Asked()) == set()
    assert cell_of(Asked()) is None
    assert gone_cells(object()) == set()


class GoneSession:
    def __init__(self, closed):
        self.closed = closed

    def activity(self):
        raise AgentLostError("agent x is gone")


def test_a_session_that_is_lost_or_closed_says_so_and_is_over():
    lost, closed = SessionView(GoneSession(False)).look(), SessionView(GoneSession(True)).look()
    assert (lost.over, lost.text) == (True, "agent x is gone")
    assert closed.over
    assert "closed" in closed.text


def test_a_view_that_fails_does_not_end_the_others(keeper, caplog):
    class Bad(Board):
        def refresh(self):
            raise ValueError("no picture")

    sent = Sent()
    good = Board(looks(content(1), content(2)), sent)
    keeper.keep(Bad(looks(content(0)), sent), "a")
    keeper.keep(good, "a")
    wait_until(lambda: len(sent) > 1)
    wait_until(lambda: keeper.views == [good])
    assert "a live view ended" in caplog.text
