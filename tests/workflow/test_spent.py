"""Where time went: small cases by hand, and sums that always come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdreamer_lab.workflow.spent import Span, Spent, TaskTimes, time_spent


def task(queued, begun, ended, *spans, pilot="p", lanes=1):
    return TaskTimes(pilot, queued, begun, ended, tuple(Span(*span) for span in spans), lanes)


def test_one_worker_by_hand():
    found = time_spent(
        0.0,
        10.0,
        {"p": 1},
        [task(1, 2, 6, ("communication", 2, 2.5), ("quantum", 3, 6))],
        [Span("classical", 0, 0.5), Span("classical", 7, 9)],
    )
    assert found == Spent(
        wall_s=10.0,
        quantum_s=3.0,
        classical_s=2.5,
        communication_s=0.5,
        waiting_s=0.0,
        # before the submit, in the queue, unpacking, after the task, after the notebook's work
        overhead_s=0.5 + 1 + 0.5 + 1 + 1,
    )
    assert found.overhead == pytest.approx(0.45)


def test_who_waits_for_others_is_not_the_middlewares_fault():
    tasks = [task(0, 0, 8, ("quantum", 0, 8)), task(0, 0, 4, ("quantum", 0, 4))]
    found = time_spent(0.0, 8.0, {"p": 2}, tasks)
    assert found.quantum_s == 6.0
    assert found.waiting_s == 2.0
    # unless there is a task that it could have begun with
    late = task(5, 8, 8)
    assert time_spent(0.0, 8.0, {"p": 2}, [*tasks, late]).overhead_s == 1.5


def test_a_task_that_waits_for_one_pilot_is_no_fault_of_another():
    tasks = [
        task(0, 0, 4, ("classical", 0, 4), pilot="a"),
        task(0, 4, 8, ("quantum", 4, 8), pilot="b"),
        task(0, 0, 4, ("quantum", 0, 4), pilot="b"),
    ]
    found = time_spent(0.0, 8.0, {"a": 1, "b": 1}, tasks)
    assert (found.classical_s, found.quantum_s) == (2.0, 4.0)
    assert (found.waiting_s, found.overhead_s) == (2.0, 0.0)


def test_a_wide_task_takes_up_several_workers():
    found = time_spent(0.0, 4.0, {"p": 4}, [task(0, 0, 4, ("quantum", 0, 4), lanes=3)])
    assert (found.quantum_s, found.waiting_s) == (3.0, 1.0)


def test_work_counts_before_what_lies_between_tasks():
    tasks = [task(0, 0, 5, ("quantum", 0, 4)), task(0, 4, 8, ("quantum", 4, 8))]
    found = time_spent(0.0, 8.0, {"p": 1}, tasks)
    assert (found.quantum_s, found.overhead_s) == (8.0, 0.0)


moments = st.floats(0, 10)


@st.composite
def some_tasks(draw):
    made = []
    for _ in range(draw(st.integers(0, 5))):
        queued, begun, at, until, ended = sorted(draw(moments) for _ in range(5))
        kind = draw(st.sampled_from(["quantum", "classical", "communication"]))
        pilot = draw(st.sampled_from("pq"))
        made.append(task(queued, begun, ended, (kind, at, until), pilot=pilot))
    return made


@given(some_tasks(), st.integers(1, 3), st.integers(1, 3), moments, moments)
def test_parts_are_the_whole(tasks, first, second, begun, ended):
    begun, ended = sorted((begun, ended))
    here = [Span("classical", begun, (begun + ended) / 2)]
    found = time_spent(begun, ended, {"p": first, "q": second}, tasks, here)
    assert sum(found.parts().values()) == pytest.approx(found.wall_s, abs=1e-9)
    assert min(found.parts().values()) >= 0


@given(some_tasks())
def test_work_counts_in_full_where_there_are_workers_enough(tasks):
    found = time_spent(0.0, 10.0, {"p": 5, "q": 5}, tasks)
    for kind in ("quantum", "classical", "communication"):
        worked = sum(
            span.ended - span.begun for each in tasks for span in each.spans if span.kind == kind
        )
        assert getattr(found, f"{kind}_s") == pytest.approx(worked / 10)
