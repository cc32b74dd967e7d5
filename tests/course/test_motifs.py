"""Checkers of the eighth notebook."""

import numpy as np
from scipy.optimize import approx_fprime

from qdreamer_lab.course.motifs import check_efficiency, check_gradient, check_pipeline
from qdreamer_lab.workflow.characterise.replay import replayed_s
from qdreamer_lab.workflow.trace import Trace, Traced
from tests.course.judging import judge


def test_efficiencies():
    judge(
        check_efficiency,
        [
            lambda one, many, n: one / many / n,
            lambda one, many, n: (one / n) / many,
            lambda one, many, n: np.float64(one) / np.sum([many] * n),
        ],
        [
            (lambda one, many, n: one / many, "the speedup"),
            (lambda one, many, n: many * n / one, "upside down"),
            (lambda one, many, n: many / one, "share of the time"),
            (lambda one, many, n: 100 * one / many / n, "percent"),
            (lambda one, many, n: 1 - one / many / n, "what is lost"),
            (lambda one, many, n: one / many - (n - 1), "divide"),
            (lambda one, many, n: 1.0, "it should be"),
            (lambda one, many: one / many, "TypeError"),
            (0.8, "A function is wanted"),
        ],
        placeholders=(None, ..., lambda one, many, n: ...),
    )


def by_recurrence(stages, batches):
    over = {}
    for batch in range(batches):
        for k, takes in enumerate(stages):
            before = max(over.get((batch - 1, k), 0), over.get((batch, k - 1), 0))
            over[batch, k] = before + takes
    return over[batches - 1, len(stages) - 1]


def by_replay(stages, batches):
    """Each stage waits for the batch, and for its own worker, as for the result of a task."""
    tasks = []
    for batch in range(batches):
        for k, takes in enumerate(stages):
            place = batch * len(stages) + k
            inputs = ([place - 1] if k else []) + ([place - len(stages)] if batch else [])
            tasks.append(Traced(None, (), tuple(inputs), 0.0, takes))
    return replayed_s(Trace(tuple(tasks), 0.0, 0.0), len(tasks))


def test_pipelines():
    judge(
        check_pipeline,
        [
            lambda stages, n: sum(stages) + (n - 1) * max(stages),
            by_recurrence,
            by_replay,
        ],
        [
            (lambda stages, n: n * sum(stages), "without overlap"),
            (lambda stages, n: n * max(stages), "waits for the first batch"),
            (lambda stages, n: sum(stages) + n * max(stages), "twice"),
            (lambda stages, n: sum(stages), "a single batch"),
            (lambda stages, n: (n + len(stages) - 1) * max(stages), "as slow as the slowest"),
            (lambda stages, n: sum(stages) + (n - 1) * stages[-1], "need not be the last"),
            (lambda stages, n: sum(stages) + (n - 1) * stages[0], "queue before"),
            (lambda stages, n: 10.0, "it should be"),
            (lambda stages, n: stages, "shape"),
            (lambda stages, n: stages[10], "IndexError"),
        ],
        placeholders=(None, ..., lambda stages, n: ...),
    )


def shifted(value, angles, shift=np.pi / 2, divisor=2.0):
    found = np.empty(len(angles))
    for k in range(len(angles)):
        step = shift * np.eye(len(angles))[k]
        found[k] = (value(angles + step) - value(angles - step)) / divisor
    return found


def by_third_turns(value, angles):
    """Another shift with its own divisor is right, too."""
    return shifted(value, angles, np.pi / 3, 2 * np.sin(np.pi / 3))


def listed(value, angles):
    points = [(list(angles), k) for k in range(len(angles))]
    return [
        value([*at[:k], at[k] + np.pi / 2, *at[k + 1 :]]) / 2
        - value([*at[:k], at[k] - np.pi / 2, *at[k + 1 :]]) / 2
        for at, k in points
    ]


def test_gradients():
    judge(
        check_gradient,
        [shifted, by_third_turns, listed],
        [
            (lambda f, x: shifted(f, x, divisor=1.0), "twice the gradient"),
            (lambda f, x: -shifted(f, x), "wrong sign"),
            (lambda f, x: shifted(f, x, np.pi), "full turn"),
            (lambda f, x: shifted(f, x, np.pi / 4), "sin(pi/4)"),
            (lambda f, x: shifted(f, x, divisor=np.pi), "no approximation"),
            (lambda f, x: np.full(len(x), shifted(f, x[:])[0]), "All entries are the first"),
            (lambda f, x: approx_fprime(x, f, 1e-6), "noise with it"),
            (lambda f, x: np.mean([shifted(f, x) for _ in range(3)], axis=0), "Two are enough"),
            (lambda f, x: 2 + x, "should be about"),
            (lambda f, x: shifted(f, x)[:1], "shape"),
            (lambda f, x: f(x, 1), "TypeError"),
        ],
        placeholders=(None, ..., lambda value, angles: ...),
    )
