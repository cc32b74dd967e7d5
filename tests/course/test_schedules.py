"""Checkers of the sixth notebook."""

import math

import numpy as np

from qdreamer_lab.course.schedules import TASKS_S, check_schedule, check_widest
from tests.course.judging import judge


def by_doubling(memory):
    qubits, size = 0, 16
    while 2 * size <= memory:
        qubits, size = qubits + 1, 2 * size
    return qubits


def test_widths():
    judge(
        check_widest,
        [
            by_doubling,
            lambda m: math.floor(math.log2(m / 16)),
            lambda m: (m // 16).bit_length() - 1,
        ],
        [
            (lambda m: math.floor(math.log2(m / 8)), "8 bytes an amplitude"),
            (lambda m: math.floor(math.log2(m)), "a byte an amplitude"),
            (lambda m: math.floor(math.log2(m / 128)), "128 bytes"),
            (lambda m: math.ceil(math.log2(m / 16)), "round up"),
            (lambda m: math.log2(m / 16), "half a qubit"),
            (lambda m: by_doubling(m) - 1, "still fits"),
            (lambda m: m // 16, "count amplitudes"),
            (lambda m: round(math.log2(m / 16)), "nearest"),
            (lambda m: 30, "it should be"),
        ],
        placeholders=(None, ..., lambda memory: ...),
    )


def longest_first():
    dealt = [[], [], []]
    for seconds in sorted(TASKS_S, reverse=True):
        min(dealt, key=sum).append(seconds)
    return dealt


def test_schedules():
    judge(
        check_schedule,
        [
            [[8, 4], [7, 3, 2], [5, 5, 2]],
            ((7, 5), (8, 2, 2), (3, 4, 5)),
            [np.array([5, 2, 3, 2]), np.array([4, 8]), np.array([5, 7])],
        ],
        [
            (longest_first(), "others wait"),
            ([[8, 4], [7, 5], [5, 3]], "done by nobody"),
            ([[8, 4], [7, 5], [5, 3, 2], [2]], "deal out to 4"),
            ([[8, 4], [7, 3, 2], [5, 5, 2, 2]], "not that many"),
            ([[8, 4], [7, 3, 2], [10, 2]], "no such task"),
            ([[8, 5, 5], [7, 4, 3, 2, 2], []], "nothing to do"),
            (12, "A list for each worker"),
        ],
    )
