"""How many tasks a second a session gets through, when they do nothing."""

from __future__ import annotations

import time
from concurrent.futures import wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilot_kernel.sessions.session import Session

__all__ = ["tasks_per_second"]


def tasks_per_second(session: Session, on: str | None, count: int) -> float:
    """Submit tasks without work, all at once, and wait for them.

    Args:
        session: Where.
        on: A kind of worker or a pilot's name.
        count: How many, at least one.
    """
    session.submit(_nothing, on=on).result()
    begun = time.perf_counter()
    works = [session.submit(_nothing, on=on) for _ in range(count)]
    wait(works)
    return count / (time.perf_counter() - begun)


def _nothing() -> None:
    """A task without work."""
