"""Answers that are functions: called, compared with an oracle, and traced to a common mistake.

Every checker whose answer is a function goes through `compare`. No oracle is known here.
"""

from __future__ import annotations

import copy
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from qdreamer_lab.course.verdict import NotRight, NotYet, is_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

__all__ = ["Mistake", "call", "compare", "numbers"]


class Mistake(NamedTuple):
    """A way to go wrong.

    Attributes:
        formula: What one who makes it computes.
        reason: What is wrong with that, as a sentence.
    """

    formula: Callable[..., Any]
    reason: str


def call(function: object, *inputs: Any) -> Any:
    """Call an answer.

    Raises:
        NotRight: It is no function, or fails.
        NotYet: It returns nothing, as one does that is still to be written.
    """
    if not callable(function):
        raise NotRight(
            f"A function is wanted; this is {type(function).__name__}. Hand over the function "
            "itself, without calling it."
        )
    try:
        value = function(*inputs)
    except Exception as error:
        raise NotRight(_failure(function, error)) from error
    if is_open(value):
        raise NotYet
    return value


def _failure(function: Callable[..., Any], error: Exception) -> str:
    """An error in an answer, with the line of the answer where it came up."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [f.line for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    where = f" in the line “{lines[-1]}”" if lines and lines[-1] else ""
    return f"Your function stops with {type(error).__name__}{where}: {str(error).rstrip('.')}."


def numbers(value: Any, shape: tuple[int, ...]) -> NDArray[np.complex128]:
    """What a function returned, as finite numbers.

    Args:
        value: What it returned.
        shape: What shape the numbers are to have; () for a single one.

    Raises:
        NotRight: It is something else.
    """
    try:
        found = np.asarray(value, dtype=np.complex128)
    except (TypeError, ValueError) as error:
        raise NotRight(
            f"Your function returns {type(value).__name__}; numbers are wanted."
        ) from error
    if found.shape != shape:
        wanted = "one number" if not shape else f"numbers of shape {shape}"
        raise NotRight(f"Your function returns an array of shape {found.shape}, not {wanted}.")
    if not np.isfinite(found).all():
        raise NotRight("Your function returns a number that is not finite.")
    return found


def compare(
    function: object,
    oracle: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Iterable[Mistake] = (),
    *,
    tolerance: float = 1e-9,
    told: Callable[..., str],
) -> None:
    """Compare an answer with an oracle, case by case.

    Args:
        function: The answer; it gets copies, and may change them.
        oracle: What it is to be equal to.
        cases: What both are called with.
        mistakes: Looked for when they differ; the first that explains all cases is the reason.
        tolerance: Difference allowed, relative to the greater of 1 and the oracle's value.
        told: A case in words, for the reason when no mistake explains it.

    Raises:
        NotRight: They differ.
        NotYet: The answer returns nothing.
    """
    given = list(cases)
    wanted = [np.asarray(oracle(*case), dtype=np.complex128) for case in given]
    found = [
        numbers(call(function, *copy.deepcopy(case)), want.shape)
        for case, want in zip(given, wanted, strict=True)
    ]
    bad = [k for k, want in enumerate(wanted) if not _close(found[k], want, tolerance)]
    if not bad:
        return
    for mistake in mistakes:
        made = [np.asarray(mistake.formula(*case), dtype=np.complex128) for case in given]
        if all(_close(f, m, tolerance) for f, m in zip(found, made, strict=True)):
            raise NotRight(mistake.reason)
    first = bad[0]
    raise NotRight(
        f"For {told(*given[first])} your function gives {_text(found[first])}; it should be "
        f"{_text(wanted[first])}."
    )


def _close(one: NDArray[np.complex128], other: NDArray[np.complex128], tolerance: float) -> bool:
    return one.shape == other.shape and bool(
        (np.abs(one - other) <= tolerance * np.maximum(1, np.abs(other))).all()
    )


def _text(value: NDArray[np.complex128]) -> str:
    parts = [f"{v.real:.6g}" if abs(v.imag) < 1e-12 else f"{v:.6g}" for v in value.ravel()]
    return parts[0] if value.ndim == 0 else f"({', '.join(parts)})"
