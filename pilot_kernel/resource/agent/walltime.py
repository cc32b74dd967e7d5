"""When a worker whose job is going to end is replaced, given no more work, and removed."""

from enum import IntEnum

__all__ = ["Stage", "margin_s", "stage"]

_LEAST_S = 30.0
_MOST_S = 300.0
_SHARE = 0.05
_LAST_S = 2.0  # what still runs then is begun elsewhere, before the batch system kills it


class Stage(IntEnum):
    """Where a worker is in the time that its job has."""

    WORKS = 0
    REPLACE = 1
    LEAVES = 2
    OVER = 3


def margin_s(length_s: float) -> float:
    """How long before its end a worker is given no more work.

    Args:
        length_s: How long it has in all.
    """
    return min(max(_LEAST_S, min(_MOST_S, _SHARE * length_s)), length_s / 3)


def stage(ends_at: float, length_s: float, now: float) -> Stage:
    """Where a worker is.

    Args:
        ends_at: When its job ends.
        length_s: How long it had when it was first seen.
        now: What time it is.
    """
    left_s = ends_at - now
    margin = margin_s(length_s)
    if left_s <= min(_LAST_S, margin / 4):
        return Stage.OVER
    if left_s <= margin:
        return Stage.LEAVES
    return Stage.REPLACE if left_s <= 2 * margin else Stage.WORKS
