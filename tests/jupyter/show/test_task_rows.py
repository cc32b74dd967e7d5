"""Tasks as rows, from made-up data."""

from dataclasses import dataclass

from pilot_kernel.jupyter.show.rows_html import tasks_html
from pilot_kernel.jupyter.show.rows_text import tasks_text
from pilot_kernel.jupyter.show.task_rows import NO_TASKS, chosen, task_list
from pilot_kernel.task.wire.record import TaskRecord, TaskState
from tests.drawing.html_check import Balance


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

    @property
    def stages(self):
        return (self,)

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
