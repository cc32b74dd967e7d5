"""What there is to draw of results, as plain data: counts, tables of values, curves."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Axis", "Chart", "Counts", "Curves", "Values", "is_sweep"]

_SWEEP_POINTS = 6


@dataclass(frozen=True)
class Counts:
    """How often each outcome came.

    Attributes:
        title: What it is of.
        rows: Outcomes and their counts; all in order of the outcomes, or the most frequent first.
        shots: How many shots there were.
        left_out: How many outcomes are not in `rows`.
    """

    title: str
    rows: tuple[tuple[str, int], ...]
    shots: int
    left_out: int


@dataclass(frozen=True)
class Values:
    """Expectation values with their standard errors.

    Attributes:
        title: What they are of.
        rows: Name, value and standard error of each.
        left_out: How many are not in `rows`.
        shots: How many they were estimated from, if that is known; without shots, a standard error
            of 0 means that a value is exact, with shots only that all of them agreed.
    """

    title: str
    rows: tuple[tuple[str, float, float], ...]
    left_out: int
    shots: int = 0


@dataclass(frozen=True)
class Axis:
    """Where the points of a sweep lie.

    Attributes:
        name: Of the parameter; empty if several change, or none is known.
        points: Its values, ascending or descending; 0, 1, ... if there is no such parameter.
    """

    name: str
    points: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """Expectation values along a sweep: one curve an observable, or a value of another parameter.

    Attributes:
        title: What it is of.
        labels: Names of the curves.
        values: Of each curve, a value for each point.
        stds: Their standard errors (0 if exact).
        axis: Where the points lie: the parameter that changes, or their numbers.
        sets: How many sets of parameter values there are; one a point, unless curves differ in
            parameters too.
    """

    title: str
    labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    stds: tuple[tuple[float, ...], ...]
    axis: Axis
    sets: int


Chart = Counts | Values | Curves


def is_sweep(shape: tuple[int, ...], names: Any) -> bool:
    """Whether values are drawn as curves along their last axis, rather than as a table.

    Args:
        shape: The shape of the values.
        names: Array of the names of their observables; None if they are not known. Different
            observables along the last axis are no sweep.
    """
    if len(shape) not in (1, 2) or shape[-1] < _SWEEP_POINTS:
        return False
    return names is None or not names.ndim or names.shape[-1] <= 1
