"""Rounds that were played through before, for the same fragments, observables and goal.

Whoever compares ways to run a circuit comes back to the same plans. It must not play itself.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from qdreamer_lab.workload.sampled.lower import SampledProgram
    from qdreamer_lab.workload.sampled.shot_goal import Goal

__all__ = ["played_once"]

_Rounds = TypeVar("_Rounds")

_KEPT = 128

_known: OrderedDict[bytes, Any] = OrderedDict()
_lock = threading.Lock()


def played_once(program: SampledProgram, goal: Goal, play: Callable[[], _Rounds]) -> _Rounds:
    """What `play` gives, which depends on nothing but the program and the goal.

    Args:
        program: The circuit, lowered.
        goal: When there are enough shots.
        play: Works it out; what it raises is not remembered.
    """
    gluing = program.gluing
    asked = (program.fragments, program.glues, gluing.operator_of, gluing.coefficients, goal)
    key = hashlib.blake2b(pickle.dumps(asked)).digest()
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            found: _Rounds = _known[key]
            return found
    made = play()
    with _lock:
        _known[key] = made
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return made
