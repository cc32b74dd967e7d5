"""Which pilots have run work of ours before: the first run loads code there, which takes a while.

A session is let go with its last user. What ran in other notebooks of a session is not known.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["has_run", "names_of", "ran"]

_pilots: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()
_here: set[str] = set()


def names_of(pilots: Iterable[Any]) -> tuple[str, ...]:
    """What pilots are called; a session of another kind may give them no names."""
    return tuple(str(getattr(pilot, "name", "")) for pilot in pilots)


def ran(session: Any, pilots: Iterable[str]) -> None:
    """These pilots have run work of ours.

    Args:
        session: Theirs; None is this process.
        pilots: Their names.
    """
    if session is None:
        _here.add("here")
        return
    with contextlib.suppress(TypeError):  # nothing can be kept of a session without weak references
        _pilots.setdefault(session, set()).update(pilots)


def has_run(session: Any, pilots: Iterable[str]) -> bool:
    """Whether all of these pilots have run work of ours, or this process if there is no session."""
    if session is None:
        return bool(_here)
    try:
        known = _pilots.get(session, set())
    except TypeError:
        return False
    return known.issuperset(pilots)
