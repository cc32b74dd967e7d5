"""What is remembered of a circuit: never less than was known, and no time without its plan."""

from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.search import memory
from qdreamer_lab.search.cost_models import plan_price
from qdreamer_lab.search.memory import PLANS, forget, recall, remember, remember_time
from qdreamer_lab.search.problem import CutProblem, Found


@pytest.fixture(autouse=True)
def _as_in_a_new_process():
    forget()


@pytest.fixture
def problem():
    pairs = np.array([[k, k + 1] for k in range(5)])
    ones = np.ones(5)
    return CutProblem(6, pairs, 3 * ones, 50, sine=ones, rank=np.full(5, 2, np.int64))


def answer(problem, labels, cost="lo"):
    labels = np.asarray(labels, np.int64)
    return Found(labels, plan_price(problem, labels, cost), 0.0, False, 0.1)


def apart(problem, number):
    """A plan that cuts the first gates, so many of them."""
    labels = np.zeros((len(problem.pairs), 2), np.int64)
    labels[:number, 1] = 1
    return labels


def test_a_dearer_answer_replaces_no_cheaper_one(problem):
    cheap, dear = (answer(problem, apart(problem, number)) for number in (1, 3))
    assert cheap.log2_overhead < dear.log2_overhead
    for found in (dear, cheap, dear):
        remember(problem, "lo", found)
    assert recall(problem, "lo", 0, prove=False).value == cheap.log2_overhead


def test_time_counts_as_long_as_its_plan_is_known(problem):
    remember(problem, "lo", answer(problem, apart(problem, 2)))
    remember_time(problem, "lo", 0, (3.0, 7), prove=False)
    assert recall(problem, "lo", 0, prove=False).seconds == 3.0
    for width in range(PLANS):
        remember(replace(problem, max_qubits=51 + width), "lo", answer(problem, apart(problem, 3)))
    known = recall(problem, "lo", 0, prove=False)
    assert (known.seconds, known.rounds) == (0.0, 0)


def test_a_plan_of_the_same_model_is_found_among_many_others(problem):
    best = answer(problem, apart(problem, 1), "work")
    remember(problem, "work", best)
    for width in range(2 * memory.PRICED):
        other = replace(problem, max_qubits=20 + width)
        remember(other, "lo", Found(apart(problem, 3), 0.0, 0.0, False, 0.1))
    assert recall(problem, "work", 0, prove=False).value == best.log2_overhead


def test_a_trade_off_of_every_model_is_known_as_a_whole(problem):
    asked = [(model, width) for model in ("lo", "joint", "locc", "work") for width in range(30, 45)]
    for model, width in asked:
        narrow = replace(problem, max_qubits=width)
        remember(narrow, model, answer(narrow, apart(problem, 2), model))
        remember_time(narrow, model, 0, (3.0, 7), prove=False)
    for model, width in asked:
        known = recall(replace(problem, max_qubits=width), model, 0, prove=False)
        assert (known.seconds, known.rounds) == (3.0, 7)


def test_many_plans_of_one_model_do_not_hide_one_of_another(problem):
    dear, cheap = apart(problem, 4), apart(problem, 1)
    for width in range(20):
        narrow, other = replace(problem, max_qubits=20 + width), dear.copy()
        other[width % 5] = width + 2  # so that no two are the same
        remember(narrow, "lo", Found(other, 0.0, 0.0, False, 0.1))
    remember(problem, "work", Found(cheap, 99.0, 0.0, False, 0.1))
    known = recall(problem, "joint", 0, prove=False)
    assert np.array_equal(known.labels, cheap)


def test_one_plan_found_for_many_widths_is_priced_once(problem, monkeypatch):
    dear, cheap = apart(problem, 4), apart(problem, 1)
    for width in range(10):
        remember(replace(problem, max_qubits=20 + width), "lo", Found(dear, 0.0, 0.0, False, 0.1))
    remember(problem, "lo", Found(cheap, 1.0, 0.0, False, 0.1))
    priced = []
    monkeypatch.setattr(memory, "plan_price", lambda *asked: priced.append(asked) or 1.0)
    recall(problem, "locc", 0, prove=False)
    assert len(priced) == 2


def test_one_long_circuit_does_not_take_all_memory(problem, monkeypatch):
    monkeypatch.setattr(memory, "ENDS", 45)  # four plans of five blocks
    for width in range(20, 40):
        narrow = replace(problem, max_qubits=width)
        remember(narrow, "lo", answer(problem, apart(problem, 2)))
        remember_time(narrow, "lo", 0, (3.0, 7), prove=False)
        assert memory._ends() <= 45
    assert recall(replace(problem, max_qubits=20), "lo", 0, prove=False).seconds == 0.0
    assert recall(replace(problem, max_qubits=39), "lo", 0, prove=False).seconds == 3.0
    monkeypatch.setattr(memory, "ENDS", 1)
    remember(problem, "lo", answer(problem, apart(problem, 2)))
    assert recall(problem, "lo", 0, prove=False).labels is not None


def test_bounds_of_any_number_of_questions_take_little_room(problem):
    for width in range(memory.BOUNDS + 10):
        narrow = replace(problem, max_qubits=20 + width)
        remember(narrow, "lo", answer(problem, apart(problem, 2)))
    (circuit,) = memory._circuits.values()
    assert len(circuit.bounds) <= memory.BOUNDS
    assert len(circuit.plans) == PLANS
