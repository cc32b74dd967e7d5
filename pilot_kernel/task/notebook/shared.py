"""A value that many tasks take as an argument, sent to the agent once and to each worker once."""

from typing import Any

from pilot_kernel.errors import PilotError

__all__ = ["Shared"]


class Shared:
    """Stands for a value among the arguments of tasks, as a task stands for its result.

    `Session.share` makes it. Every task gets a copy of the value of its own: what one does to it,
    no other sees. The value is kept for as long as this object, or an unfinished task that takes
    it, is there.

    Attributes:
        size: Bytes of the value, pickled.
    """

    def __init__(self, what: str, size: int, reference: Any) -> None:
        """Stand for a value.

        Args:
            what: The value in a word, for those who read.
            size: Its bytes.
            reference: What stands for it in a graph: a Dask future, or a small value itself.
        """
        self.size = size
        self._what = what
        self._reference = reference

    @property
    def reference(self) -> Any:
        """What stands for it among another task's inputs.

        Raises:
            PilotError: It was released.
        """
        if self._reference is None:
            raise PilotError(f"{self!r} was released; share the value again")
        return self._reference

    def release(self) -> None:
        """Let go of the value; tasks that were submitted with it still get it."""
        self._reference = None

    def __reduce__(self) -> Any:
        raise TypeError(
            "a shared value stands for its value as an argument or in a list of them only"
        )

    def __repr__(self) -> str:
        return f"<Shared {self._what}, {self.size:,} bytes>"
