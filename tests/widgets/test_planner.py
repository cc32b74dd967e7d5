"""Candidates: at once, refined, given up, and remembered within bounds."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from pilot_kernel.errors import AgentLostError
from qdreamer_lab import QDreamer, plan_cuts
from qdreamer_lab.errors import MemoryLimitError
from qdreamer_lab.widgets import planner as planner_module
from qdreamer_lab.widgets.background import Background
from qdreamer_lab.widgets.changes import moved
from qdreamer_lab.widgets.cost_table import rows
from qdreamer_lab.widgets.engine import Engine
from qdreamer_lab.widgets.planner import Planner
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.state import Controls, View
from tests.circuits.plain import layered, uneven_line

N = 10


@pytest.fixture
def planner():
    return Planner(problem_of(uneven_line(N), "Z" * N), QDreamer())


def test_the_first_answer_is_a_plan_for_the_width(planner):
    (one,) = planner.first(Controls(4))
    assert one.width <= 4
    assert one.prediction.makespan_s > 0
    assert one.configuration.max_qubits == 4


def test_refining_ends_with_the_plan_that_the_finder_finds(planner):
    controls = Controls(4)
    found = [one for some in planner.refined(controls) for one in some]
    mine = next(one for one in found if one.configuration.max_qubits == 4 and one.given)
    wanted = plan_cuts(uneven_line(N), 4, observables="Z" * N)
    assert np.array_equal(mine.plan.labels, wanted.labels)
    assert {one.configuration.max_qubits for one in found} >= set(planner.widths(controls))


def test_the_second_time_nothing_is_searched(planner, monkeypatch):
    controls = Controls(4)
    before = [one for some in planner.refined(controls) for one in some]
    monkeypatch.setattr(planner_module, "plan_blocks", None)
    assert [one for some in planner.refined(controls) for one in some] == before
    assert set(planner.first(controls)) <= set(before)
    assert set(planner.known(controls)) <= set(before)


def test_a_width_for_which_there_is_no_plan_says_why(planner):
    (one,) = planner.first(Controls(1, kinds=("wire",), mode="exact"))
    assert one.prediction is None
    assert one.plan is None
    assert one.refused


def test_memory_is_too_much_only_where_that_is_why_it_cannot_run(planner):
    def memory(candidate):
        return next(row.values for row in rows([candidate]) if row.label == "Memory")

    (one,) = planner.first(Controls(1, kinds=("wire",), mode="exact"))
    assert memory(one) == ("\N{EN DASH}",)
    with pytest.raises(MemoryLimitError) as error:
        QDreamer().predict(layered(60), "Z" * 60, max_qubits=60)
    assert memory(replace(one, refused=str(error.value))) == ("too much",)


def test_kinds_are_kept_also_by_what_is_recommended(planner):
    for some in planner.refined(Controls(4, kinds=("wire",))):
        for one in some:
            if one.plan is not None:
                assert all(type(cut).__name__ == "WireCut" for cut in one.plan.cuts)


def test_other_parameter_values_are_another_question():
    problem = problem_of(uneven_line(N, symbols=2), "Z" * N)
    planner = Planner(problem, QDreamer())
    (half,) = planner.first(Controls(5, values=problem.start))
    (zero,) = planner.first(Controls(5, values=(0.0, 0.0)))
    assert half.plan.blocks.num_blocks == zero.plan.blocks.num_blocks
    assert not np.allclose(half.plan.blocks.gammas, zero.plan.blocks.gammas)


def test_caches_are_bounded(planner, monkeypatch):
    monkeypatch.setattr(planner, "_plans", planner_module.Cache(5))
    monkeypatch.setattr(planner, "_prices", planner_module.Cache(7))
    for step in range(40):
        planner.first(Controls(2 + step % 8, precision=0.01 + 0.001 * step))
    assert planner.remembered == 5 + 7


def test_a_session_that_is_gone_leaves_plans(planner, monkeypatch):
    def lost(_):
        raise AgentLostError("the agent is gone")

    monkeypatch.setattr(planner.dreamer, "place", lost)
    (one,) = planner.first(Controls(4))
    assert one.prediction is not None
    assert planner.lost == "the agent is gone"


# ---- the background


def test_a_newer_question_cancels_the_older_one():
    inside, go_on, over = threading.Event(), threading.Event(), threading.Event()
    told = []

    def steps(asked):
        for step in range(3):
            if asked.width == 2:
                inside.set()
                go_on.wait(30)
            yield (step,)

    def tell(asked, found, more):
        told.append((asked.width, found, more))
        if asked.width == 5 and not more:
            over.set()

    background = Background(steps, tell)
    background.ask(Controls(2))
    assert inside.wait(30)
    for width in (3, 4, 5):
        background.ask(Controls(width))
    go_on.set()
    assert over.wait(30)
    assert {width for width, _, _ in told} == {5}
    assert [step for _, found, _ in told for step in found] == [0, 1, 2]


def test_what_is_cancelled_is_not_answered():
    inside, go_on = threading.Event(), threading.Event()
    told = []

    def steps(asked):
        inside.set()
        go_on.wait(30)
        yield (asked,)

    background = Background(steps, lambda *news: told.append(news))
    background.ask(Controls(2))
    assert inside.wait(30)
    thread = background._thread
    background.cancel()
    go_on.set()
    thread.join(30)
    assert background.idle
    assert told == []


# ---- the engine


def test_a_hundred_moves_leave_one_state(planner):
    shown = []
    engine = Engine(planner, View(Controls(4), fresh=False), shown.append)
    rng = np.random.default_rng(1)
    widths = rng.integers(2, N + 1, 100).tolist()
    for width in widths:
        engine.post(lambda view, width=width: moved(view, width=width))
    assert engine.settle(60)
    assert engine.view is shown[-1]
    assert engine.view.controls.width == widths[-1]
    assert engine.view.selected.configuration.max_qubits == widths[-1]
    assert not engine.view.working
    # As if the last move had been the only one.
    alone = Engine(planner, View(Controls(widths[-1]), fresh=False), lambda _: None)
    alone.post(lambda view: view)
    assert alone.settle(60)
    assert alone.view.selected.plan is engine.view.selected.plan
    assert len(shown) < len(widths)


def test_moves_from_many_threads_leave_one_state(planner):
    engine = Engine(planner, View(Controls(4), fresh=False), lambda _: None)

    def move(seed):
        for width in np.random.default_rng(seed).integers(2, N + 1, 25).tolist():
            engine.post(lambda view, width=width: moved(view, width=width))

    threads = [threading.Thread(target=move, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.settle(60)
    view = engine.view
    assert view.selected.configuration.max_qubits == view.controls.width
    assert {one.configuration.max_qubits for one in view.candidates} <= set(range(2, N + 1))


def test_an_answer_to_other_controls_is_dropped(planner):
    engine = Engine(planner, View(Controls(4, mode="exact"), fresh=False), lambda _: None)
    engine.post(lambda view: view)
    assert engine.settle(60)
    stale = planner.first(Controls(4, mode="sampled"))
    engine._tell(replace(engine.view.controls, mode="sampled"), stale, False)
    assert engine.settle(60)
    assert all(one.configuration.mode == "exact" for one in engine.view.candidates)


def test_nothing_changes_after_closing(planner):
    shown = []
    engine = Engine(planner, View(Controls(4)), shown.append)
    engine.close()
    engine.post(lambda view: moved(view, width=5))
    assert shown == []
