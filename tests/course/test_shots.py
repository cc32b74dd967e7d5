"""Checkers of the fourth notebook."""

import math
from statistics import fmean

import numpy as np

from qdreamer_lab.course.shots import check_covered, check_error_bar, check_shots
from tests.course.judging import judge


def outcomes(counts):
    return np.concatenate([[(-1) ** text.count("1")] * n for text, n in counts.items()])


def with_numpy(counts):
    values = outcomes(counts)
    return values.mean(), values.std() / np.sqrt(values.size)


def with_formula(counts):
    shots = sum(counts.values())
    mean = sum(n * (1 - 2 * (text.count("1") % 2)) for text, n in counts.items()) / shots
    return [mean, math.sqrt((1 - mean**2) / shots)]


def with_ddof(counts):
    values = outcomes(counts)
    return np.array([values.mean(), values.std(ddof=1) / np.sqrt(values.size)])


def changed(mean=lambda values: values.mean(), error=None):
    def answer(counts):
        values = outcomes(counts)
        usual = values.std() / math.sqrt(values.size)
        return mean(values), usual if error is None else error(values)

    return answer


def first_bits(counts):
    values = np.concatenate([[1 - 2 * int(text[0])] * n for text, n in counts.items()])
    return values.mean(), values.std() / math.sqrt(values.size)


def test_error_bars():
    judge(
        check_error_bar,
        [with_numpy, with_formula, with_ddof],
        [
            (changed(mean=lambda values: -values.mean()), "wrong sign"),
            (first_bits, "Only one bit"),
            (changed(error=np.std), "√N times as sure"),
            (changed(error=lambda values: values.var() / values.size), "its root"),
            (changed(error=lambda values: values.size**-0.5), "at worst"),
            (lambda counts: with_numpy(counts)[0], "shape ()"),
            (lambda counts: counts["00"], "KeyError"),
        ],
        placeholders=(None, ..., lambda counts: None),
    )


def counted(values, errors, truth, k):
    return [abs(v - truth) <= k * e for v, e in zip(values, errors, strict=True)].count(True) / len(
        values
    )


def test_coverage():
    judge(
        check_covered,
        [
            lambda values, errors, truth, k: np.mean(np.abs(values - truth) <= k * errors),
            lambda v, e, truth, k: fmean((v - k * e < truth) & (truth < v + k * e)),
            counted,
        ],
        [
            (lambda v, e, truth, k: np.sum(np.abs(v - truth) <= k * e), "wanted is their share"),
            (lambda v, e, truth, k: np.mean(v - truth <= k * e), "take the distance"),
            (lambda v, e, truth, k: np.mean(np.abs(v - truth) > k * e), "miss the truth"),
            (lambda v, e, truth, k: np.mean(np.abs(v - truth) <= e), "no notice of k"),
            (lambda v, e, truth, k: np.mean(np.abs(v - truth) <= k * e.mean()), "bar of its own"),
            (lambda v, e, truth, k: np.mean(np.abs(v) <= k * e), "from zero"),
            (lambda v, e, truth, k: np.abs(v - truth) <= k * e, "not one number"),
        ],
    )


def test_shots():
    def multiplied(error, gammas):
        factor = 1
        for gamma in gammas:
            factor *= gamma * gamma
        return int(-(-factor // error**2))

    judge(
        check_shots,
        [
            lambda error, gammas: math.ceil(math.prod(gammas) ** 2 / error**2 * (1 - 1e-12)),
            lambda error, gammas: np.ceil((np.prod(gammas) / error) ** 2 - 1e-6),
            lambda error, gammas: math.ceil(
                math.exp(2 * sum(map(math.log, gammas))) / error**2 - 1e-6
            ),
            multiplied,
        ],
        [
            (lambda error, gammas: math.ceil(math.prod(gammas) / error**2), "multiplied by γ²"),
            (lambda error, g: math.ceil(sum(x * x for x in g) / error**2), "You add up"),
            (lambda error, gammas: math.ceil(math.prod(gammas) ** 2 / error), "by its square"),
            (lambda error, gammas: math.ceil(1 / error**2), "no notice of γ"),
            (lambda error, gammas: math.ceil(9 ** len(gammas) / error**2), "Weaker gates"),
            (lambda error, gammas: int(math.prod(gammas) ** 2 / error**2), "round up"),
            (lambda error, gammas: 1000 * len(gammas), "it should be"),
        ],
    )
