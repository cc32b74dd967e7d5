"""How far a loop came, kept in a store: taken up again by a run that is configured alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.steps.differences import differences
from qdreamer_lab.workflow.steps.identity import content_key

if TYPE_CHECKING:
    from qdreamer_lab.workflow.steps.store import Store

__all__ = ["Checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run under a name.

    Attributes:
        store: Where it is kept.
        name: Of the run.
        configuration: What the run depends on, as plain data: a motif's parameters, say.
    """

    store: Store
    name: str
    configuration: dict[str, Any]

    @property
    def _note(self) -> str:
        return f"checkpoint {self.name}"

    @property
    def _key(self) -> str:
        return content_key("checkpoint", self.name)

    def load(self) -> Any:
        """The state that was saved last; None if there is none.

        Raises:
            StepError: It is that of a run that was configured otherwise; what differs is named.
        """
        before = self.store.noted(self._note)
        state = self.store.value(self._key)
        if before is None or state is None:
            return None
        if found := differences(before, _plain(self.configuration)):
            raise StepError(
                f"the checkpoint {self.name!r} is of another run: {'; '.join(found)}; use another "
                "name, or forget it"
            )
        return state

    def save(self, state: Any) -> None:
        """Keep a state in place of the last one.

        Raises:
            StepError: The store cannot be written to.
        """
        if self.store.noted(self._note) != _plain(self.configuration):
            self.store.note(self._note, _plain(self.configuration))
        self.store.keep(self._key, f"checkpoint {self.name}", state)

    def forget(self) -> None:
        """Have the next run begin anew."""
        self.store.note(self._note, None)


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
