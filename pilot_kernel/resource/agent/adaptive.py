"""How many workers a pilot should have that grows and shrinks by itself."""

import math

__all__ = ["IDLE_S", "workers_needed"]

IDLE_S = 10.0
"""How long a worker has had nothing to do before it may go."""

_DONE_WITHIN_S = 5.0


def workers_needed(waiting: int, waiting_s: float, at_work: int, at_work_s: float) -> int:
    """As many workers as get through all of it within some seconds, one for each task at most.

    Args:
        waiting: How many tasks wait that they could run.
        waiting_s: How long these are expected to take, one after the other.
        at_work: How many workers have something to do.
        at_work_s: How long that is expected to take.

    Returns:
        A number of workers; none that is at work is too many.
    """
    by_time = math.ceil((waiting_s + at_work_s) / _DONE_WITHIN_S)
    needed = min(waiting + at_work, max(by_time, at_work))
    return max(needed, 1 if waiting else 0)
