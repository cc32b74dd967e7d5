"""The tasks among another task's arguments, whose results take their places; shared values, too."""

from typing import Any

from pilot_kernel.task.notebook.handle import Task
from pilot_kernel.task.notebook.shared import Shared
from pilot_kernel.task.wire.packing import Slot

__all__ = ["Inputs"]


class Inputs:
    """Collects the tasks and shared values that a call depends on."""

    def __init__(self) -> None:
        self._found: dict[Task | Shared, Slot] = {}
        self._seen: dict[int, Any] = {}

    def place(self, value: Any) -> Any:
        """`value` with slots in place of tasks, if it is one or a list of some."""
        if isinstance(value, Task | Shared):
            return self._found.setdefault(value, Slot(len(self._found)))
        if isinstance(value, list):
            return self._list(value)
        return value

    def _list(self, values: list[Any]) -> list[Any]:
        """The same list, so that what is shared stays shared, unless a task is in it."""
        if id(values) in self._seen:
            return self._seen[id(values)]  # type: ignore[no-any-return]
        self._seen[id(values)] = values
        placed = [self.place(each) for each in values]
        if any(new is not old for new, old in zip(placed, values, strict=True)):
            self._seen[id(values)] = placed
        return self._seen[id(values)]  # type: ignore[no-any-return]

    def found(self) -> list[Task | Shared]:
        """What it found, in the order of the slots."""
        return list(self._found)

    def references(self) -> list[Any]:
        """What Dask takes for them, in the order of their slots."""
        return [each.reference for each in self._found]

    def shares(self) -> list[str]:
        """The keys of the shared values among them that the agent keeps."""
        return [each.key for each in self._found if isinstance(each, Shared) and each.key]
