"""A value that many tasks take as an argument, sent to the agent once and to each worker once."""

import weakref
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.task.wire.packing import Packed
from pilot_kernel.task.wire.results import Kept

__all__ = ["Shared"]


class Shared:
    """Stands for a value among the arguments of tasks, as a task stands for its result.

    `Session.share` makes it. Every task gets a copy of the value of its own: what one does to it,
    no other sees. The value is kept for as long as this object, or an unfinished task that takes
    it, is there.

    Attributes:
        key: Under which the agent has it; empty if it is so small that it travels with its tasks.
        size: Bytes of the value, pickled.
    """

    def __init__(self, key: str, what: str, packed: Packed | Kept, end: Callable[[], None]) -> None:
        """Stand for a value.

        Args:
            key: Its key.
            what: The value in a word, for those who read.
            packed: The value itself, if it is small; else where it lies.
            end: Tells the agent that no more tasks will take it.
        """
        self.key = key if isinstance(packed, Kept) else ""
        self.size = packed.size
        self._what = what
        self._packed: Packed | Kept | None = packed
        self._end = weakref.finalize(self, end)
        self._end.atexit = False  # it goes with its client

    @property
    def reference(self) -> Packed | Kept:
        """What stands for it among another task's inputs.

        Raises:
            PilotError: It was released.
        """
        if self._packed is None:
            raise PilotError(f"{self!r} was released; share the value again")
        return self._packed

    def release(self) -> None:
        """Let go of the value; tasks that were submitted with it still get it."""
        self._packed = None
        self._end()

    def __reduce__(self) -> Any:
        raise TypeError(
            "a shared value stands for its value as an argument or in a list of them only"
        )

    def __repr__(self) -> str:
        return f"<Shared {self._what}, {self.size:,} bytes>"
