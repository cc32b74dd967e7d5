"""What cutting needs of a pilot session, so that any object of this shape can run its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["SessionLike"]


class SessionLike(Protocol):
    """What this package needs of a pilot session."""

    def submit(
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,
        name: str,
        on: str | None = None,
        cores: int | None = None,
    ) -> Future[Any]:
        """Start `fn(*args)` somewhere, with so many cores if they are named.

        If the future has a `record`, it says where it ran; its `release` lets go of the value.
        """

    def backend(self, on: str | None = None) -> Any:
        """The Qiskit backend of the QPU that `on` names; None where workers simulate."""

    def candidates(self, on: str | None = None) -> list[Any]:
        """The pilots that could run a task; one is added if there is none at all.

        Each says its `name`, how many workers it wants (`wanted`) and how many are up (`workers`),
        and what each of them may use (`memory_per_worker_bytes`). One whose workers lend each other
        their cores says how many each has (`cores_per_worker`) and how many a task can have
        (`most_cores`).
        """

    def pilots_for(self, on: str | None = None) -> list[Any]:
        """The same as they stand now, at little cost; none is added, and there may be none."""
