"""Exercises of the fourth notebook: error bars, whether they hold, and how many shots they take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.course.functions import Mistake, call, compare, numbers
from qdreamer_lab.course.verdict import NotRight, exercise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["check_covered", "check_error_bar", "check_shots"]

_COUNTS: tuple[dict[str, int], ...] = (
    {"0": 1400, "1": 600},
    {"00": 900, "01": 150, "10": 250, "11": 700},
    {"000": 800, "011": 300, "101": 200, "111": 700, "100": 1000},
    {"0000": 4000, "1111": 4000, "0111": 2000},
)


@exercise
def check_error_bar(mean_and_error: object) -> str:
    """Check a function from counts to the mean of Z ⊗ … ⊗ Z and its standard error.

    Args:
        mean_and_error: Called with counts such as {"00": 900, "11": 1100}; returns two numbers.
    """
    compare(
        mean_and_error,
        _mean_and_error,
        [(dict(counts),) for counts in _COUNTS],
        _ERROR_MISTAKES,
        tolerance=1e-4,  # dividing by N - 1 instead of N is as good
        told=lambda counts: f"{counts}",
    )
    return "mean and standard error are right, for one qubit and for several."


def _values(counts: Mapping[str, int]) -> NDArray[np.float64]:
    """The outcome of each shot, +1 or -1 by the number of ones."""
    signs = [(-1.0) ** text.count("1") for text in counts]
    return np.repeat(signs, list(counts.values()))


def _mean_and_error(counts: Mapping[str, int]) -> tuple[float, float]:
    values = _values(counts)
    return float(values.mean()), float(values.std() / math.sqrt(values.size))


def _with_error(error: Any) -> Any:
    """What one computes who has the mean right, and this error."""

    def formula(counts: Mapping[str, int]) -> tuple[float, float]:
        values = _values(counts)
        return float(values.mean()), float(error(values))

    return formula


def _of_bit(place: int) -> Callable[[Mapping[str, int]], tuple[float, float]]:
    """What one computes who looks at one bit of each outcome."""

    def formula(counts: Mapping[str, int]) -> tuple[float, float]:
        # Zeros behind keep the outcomes apart.
        cut = {text[place] + "0" * k: n for k, (text, n) in enumerate(counts.items())}
        return _mean_and_error(cut)

    return formula


def _flipped(counts: Mapping[str, int]) -> tuple[float, float]:
    mean, error = _mean_and_error(counts)
    return -mean, error


_ONE_BIT = (
    "Only one bit of each outcome counts in your mean. Z ⊗ … ⊗ Z is the product over all bits: "
    "+1 if the number of ones is even, and -1 if it is odd."
)
_ERROR_MISTAKES = (
    Mistake(_flipped, "Your mean has the wrong sign: Z is +1 on |0⟩ and -1 on |1⟩."),
    Mistake(_of_bit(0), _ONE_BIT),
    Mistake(_of_bit(-1), _ONE_BIT),
    Mistake(
        _with_error(np.std),
        "Your error is that of a single shot. The mean of N shots is √N times as sure.",
    ),
    Mistake(
        _with_error(lambda values: values.var() / values.size),
        "Your error is the variance of the mean; the standard error is its root.",
    ),
    Mistake(
        _with_error(lambda values: 1 / math.sqrt(values.size)),
        "1/√N is the error at worst, for a mean of 0. Outcomes that are nearly always the same "
        "scatter less: their variance is 1 - mean².",
    ),
)


@exercise
def check_covered(covered: object) -> str:
    """Check a function that says which share of error bars reaches the true value.

    Args:
        covered: Called as covered(values, errors, truth, k): arrays of values and standard errors,
            the true value, and how many standard errors count.
    """
    rng = np.random.default_rng(4)
    cases = []
    for truth, size, k in ((0.0, 50, 1.0), (0.4, 200, 2.0), (-0.7, 300, 1.5)):
        errors = rng.uniform(0.01, 0.05, size)
        cases.append((truth + errors * rng.normal(0.4, 1.0, size), errors, truth, k))
    compare(
        covered,
        lambda values, errors, truth, k: np.mean(np.abs(values - truth) <= k * errors),
        cases,
        _COVERED_MISTAKES,
        told=lambda values, _, truth, k: f"{len(values)} values, truth {truth} and k = {k}",
    )
    return "the share is right, with errors that differ from value to value."


_COVERED_MISTAKES = (
    Mistake(
        lambda values, errors, truth, k: np.sum(np.abs(values - truth) <= k * errors),
        "You give how many bars reach the truth; wanted is their share, between 0 and 1.",
    ),
    Mistake(
        lambda values, errors, truth, k: np.mean(values - truth <= k * errors),
        "Values far below the truth count as covered: take the distance, |value - truth|.",
    ),
    Mistake(
        lambda values, errors, truth, k: np.mean(np.abs(values - truth) > k * errors),
        "You give the share of bars that miss the truth.",
    ),
    Mistake(
        lambda values, errors, truth, k: np.mean(np.abs(values - truth) <= errors),
        "Your function takes no notice of k: the bar reaches k standard errors to either side.",
    ),
    Mistake(
        lambda values, errors, truth, k: np.mean(np.abs(values - truth) <= k * np.mean(errors)),
        "You use the mean of all errors. Each value has a bar of its own.",
    ),
    Mistake(
        lambda values, errors, truth, k: np.mean(np.abs(values) <= k * errors),
        "You measure the distance from zero. Wanted is the distance from the truth.",
    ),
)


@exercise
def check_shots(shots_for: object) -> str:
    """Check a function that says how many shots a cut circuit takes at worst.

    Args:
        shots_for: Called as shots_for(error, gammas): the standard error wanted, and γ of every
            cut; returns a whole number.
    """
    cases: Sequence[tuple[float, list[float]]] = (
        (0.01, []),
        (0.03, [3.0]),
        (0.02, [3.0, 3.0]),
        (0.013, [1.59, 3.0, 1.2]),
    )
    found = [float(numbers(call(shots_for, error, list(g)), ()).real) for error, g in cases]
    wanted = [math.prod(g) ** 2 / error**2 for error, g in cases]
    if all(_enough(f, w) for f, w in zip(found, wanted, strict=True)):
        return "Πγ²/ε², rounded up: each CX makes it nine times as many."
    for formula, reason in _SHOTS_MISTAKES:
        made = [formula(error, g) for error, g in cases]
        if all(abs(f - m) <= 1 + 1e-9 * m for f, m in zip(found, made, strict=True)):
            raise NotRight(reason)
    if all(abs(f - w) <= 1 + 1e-9 * w for f, w in zip(found, wanted, strict=True)):
        raise NotRight(
            "The formula is right. Half a shot cannot be taken, and fewer than needed is not "
            "enough: round up to a whole number."
        )
    k = next(k for k, (f, w) in enumerate(zip(found, wanted, strict=True)) if not _enough(f, w))
    raise NotRight(
        f"For an error of {cases[k][0]} and γ = {cases[k][1]} your function gives {found[k]:,.6g} "
        f"shots; it should be {math.ceil(wanted[k]):,}."
    )


def _enough(found: float, wanted: float) -> bool:
    slack = 1e-9 * wanted
    return found == round(found) and wanted - slack <= found < wanted + 1 + slack


_SHOTS_MISTAKES = (
    Mistake(
        lambda error, gammas: math.prod(gammas) / error**2,
        "You multiply by γ. Values are multiplied by γ, so the variance, and with it the number "
        "of shots, is multiplied by γ².",
    ),
    Mistake(
        lambda error, gammas: sum(g * g for g in gammas) / error**2,
        "You add up the γ² of the cuts. Coefficients of several cuts are multiplied, and so is γ; "
        "without any cut a factor of 1 is left.",
    ),
    Mistake(
        lambda error, gammas: math.prod(gammas) ** 2 / error,
        "You divide by the error. It falls with the root of the shots, so divide by its square.",
    ),
    Mistake(
        lambda error, gammas: 1 / error**2,
        "Your function takes no notice of γ: that many shots are enough without cuts.",
    ),
    Mistake(
        lambda error, gammas: 9 ** len(gammas) / error**2,
        "9 is the factor of a CX. Weaker gates have a smaller γ: use the one that is given.",
    ),
)
