"""Charts as plain data: counts of outcomes, tables of values, curves."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Axis", "Chart", "Counts", "Curves", "Values", "is_sweep"]

_SWEEP_POINTS = 6


@dataclass(frozen=True)
class Counts:
    """How often each outcome came.

    Attributes:
        title: What the chart is of.
        rows: Outcomes and their counts: all, by outcome; of many, the most frequent first.
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
        title: What the chart is of.
        rows: Name, value and standard error of each.
        left_out: How many are not in `rows`.
        shots: How many shots they were estimated from; 0 if there were none, or if that is not
            known. A standard error of 0 means without shots that a value is exact, and with
            shots only that all of them agreed.
    """

    title: str
    rows: tuple[tuple[str, float, float], ...]
    left_out: int
    shots: int = 0


@dataclass(frozen=True)
class Axis:
    """Where the points of a sweep lie.

    Attributes:
        name: The parameter that changes; empty if several do, or if it is not known.
        points: Its values, ascending or descending; 0, 1, ... without a name.
    """

    name: str
    points: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """Expectation values along a sweep, a curve for each observable or further parameter value.

    Attributes:
        title: What the chart is of.
        labels: Names of the curves.
        values: Of each curve, a value for each point.
        stds: Their standard errors (0 if exact).
        axis: The parameter that changes, or the numbers of the points.
        sets: How many sets of parameter values there are: more than points, if curves differ in
            their parameters.
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
        names: The names of their observables, an array; None if they are not known. If the
            observables differ along the last axis, it is no sweep.
    """
    if len(shape) not in (1, 2) or shape[-1] < _SWEEP_POINTS:
        return False
    return names is None or not names.ndim or names.shape[-1] <= 1
