"""The session that a notebook or a script uses when it names none: one in each process."""

import threading
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.sessions.session import Session

__all__ = ["current", "session", "use"]


_current: Session | None = None
_current_lock = threading.Lock()


def session(name: str | None = None, **options: Any) -> Session:
    """The current session; a new one if there is none, or if the last was closed or lost.

    Args:
        name: As for `Session`. An agent that lives under this name is attached to.
        **options: As for `Session`.

    Raises:
        PilotError: A session of another name is open, or one whose agent is in no batch job
            although `inside` asks for that.
    """
    global _current
    with _current_lock:
        if _current is not None and not _current.closed and not _current.lost:
            if name not in (None, _current.name):
                raise PilotError(
                    f"session {_current.name!r} is open; close it (or detach) before {name!r}"
                )
            if options.get("inside") is not None and not (_current.waits_for or _current.place):
                raise PilotError(
                    "a session is open whose agent is in no batch job; close it before one that is"
                )
            return _current
        _current = Session(name or "", **options)
        return _current


def current() -> Session | None:
    """The current session, if one is open."""
    return _current if _current is not None and not _current.closed else None


def use(chosen: Session) -> None:
    """Make `chosen` the current session."""
    global _current
    with _current_lock:
        _current = chosen
