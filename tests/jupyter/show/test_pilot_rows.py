"""Pilots and their workers as rows, from made-up data."""

import re
from dataclasses import replace

import pytest

from pilot_kernel.errors import AgentLostError
from pilot_kernel.jupyter.show.overviews import SessionView
from pilot_kernel.jupyter.show.pilot_rows import NO_PILOT, overview
from pilot_kernel.jupyter.show.rows_html import overview_html
from pilot_kernel.jupyter.show.rows_text import overview_text
from pilot_kernel.resource.activity import Activity, PilotActivity, Queue, WorkerActivity
from pilot_kernel.resource.pilot import PilotState, PilotStatus
from tests.drawing.html_check import Balance

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
        ({"task": "a-1f", "gpu": "H100, 80 GiB"}, "busy", "H100, 80 GiB · a"),
        (
            {"gpu": "H100, 80 GiB", "gpu_gone": True},
            "without GPU",
            "H100, 80 GiB · gone; it takes no tasks",
        ),
    ],
)
def test_states_of_a_worker(changes, state, doing):
    row = shown(pilot(worker(**changes))).rows[1]
    assert (row.state, row.doing) == (state, doing)


def test_no_pilot():
    assert overview_text(shown()) == NO_PILOT
    assert Balance(overview_html(shown())).text == NO_PILOT


def test_gpus_that_differ_are_said_with_what_all_of_them_have():
    usual = pilot(worker())

    def doing(*gpus):
        status = replace(usual.status, gpus=gpus, gpu_memory_bytes=40 * 2**30)
        return shown(replace(usual, status=status)).rows[0].doing

    assert "GPUs differ: 40 GiB" in doing("A100, 40 GiB", "H100, 80 GiB")
    assert "GPU" not in doing("A100, 40 GiB", "A100, 40 GiB")


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
    assert "do not start" in seen.rows[0].doing
    assert seen.rows[1].state == "given up"
    assert seen.rows[1].cpu is None


def test_what_not_every_pilot_has_to_say_is_said():
    usual = pilot(worker())
    ends = replace(
        usual.status,
        ends_at=1064.5,
        adaptive=(0, 4),
        tags=("fast",),
        note="job 7 waits: <Priority>",
    )
    seen = shown(replace(usual, status=ends))
    assert seen.rows[0].doing.endswith(
        " · tags: fast · adaptive, 0 to 4 · ends in 1 min 00 s · job 7 waits: <Priority>"
    )
    assert "job 7 waits: <Priority>" in Balance(overview_html(seen)).text
    leaves = replace(usual, status=replace(usual.status, draining=True, wanted=0))
    assert shown(leaves).rows[0].state == "draining, 1 left"


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


class GoneSession:
    waits_for = ""

    def __init__(self, closed):
        self.closed = closed

    def activity(self):
        raise AgentLostError("agent x is gone")


def test_a_session_that_is_lost_or_closed_says_so_and_is_over():
    lost = SessionView(GoneSession(False)).snapshot()
    closed = SessionView(GoneSession(True)).snapshot()
    assert (lost.over, lost.text) == (True, "agent x is gone")
    assert closed.over
    assert "closed" in closed.text
