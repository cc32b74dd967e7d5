"""An output that changes, and may be shown in any number of cells.

All its places have the same display id, so one message changes all of them, however often it is
shown.
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pilot_kernel.jupyter.show.publishing import Publish
from pilot_kernel.jupyter.show.rows_html import note_html

__all__ = ["LiveOutput", "Snapshot"]

_FIRST_WAIT_S = 0.5
_GAUGES_EVERY_S = 5.0
_NOTHING_YET = "the agent is starting; this view updates itself"


@dataclass(frozen=True)
class Snapshot:
    """A live output at one moment.

    Attributes:
        html: As HTML.
        text: As text.
        essence: What it says that matters: a change of this is shown at once.
        detail: What else it says: a change of this may be shown seconds later.
        over: Whether nothing will change any more.
    """

    html: str
    text: str
    essence: object
    detail: object = None
    over: bool = False

    def bundle(self) -> dict[str, str]:
        """Its representations by MIME type."""
        return {"text/html": self.html, "text/plain": self.text}


class LiveOutput:
    """An output that changes, under one display id.

    Args:
        take: Makes a snapshot. It may ask the agent, and is called in threads.
        publish: Sends a snapshot to the front end.
    """

    def __init__(
        self,
        take: Callable[[], Snapshot],
        publish: Publish,
    ) -> None:
        self._take_snapshot = take
        self._publish = publish
        self._id = f"pilot-board-{secrets.token_hex(8)}"
        self._publishing = threading.Lock()
        self._latest: Snapshot | None = None
        self._shown: Snapshot | None = None
        self._shown_at = 0.0
        self._unheard = False

    @property
    def over(self) -> bool:
        """Whether its last snapshot has been shown."""
        return self._shown is not None and self._shown.over

    def show(self) -> None:
        """Show it in the cell that runs now, waiting half a second at most for its content."""
        taking = threading.Thread(target=self._update, name="pilot-snapshot", daemon=True)
        taking.start()
        taking.join(_FIRST_WAIT_S)
        with self._publishing:
            self._shown = self._latest or _nothing_yet()
            self._shown_at = time.monotonic()
            self._publish(self._shown.bundle(), self._id, False)

    def _update(self) -> Snapshot:
        self._latest = self._take_snapshot()
        return self._latest

    def refresh(self) -> None:
        """Send what has changed: what matters at once, the rest every few seconds."""
        new = self._update()
        with self._publishing:
            old = self._shown
            if old is not None and not self._due(old, new):
                return
            self._shown, self._shown_at = new, time.monotonic()
            self._unheard = True
            self._publish(new.bundle(), self._id, True)

    def _due(self, old: Snapshot, new: Snapshot) -> bool:
        if new.over != old.over or new.essence != old.essence:
            return True
        return new.detail != old.detail and time.monotonic() - self._shown_at >= _GAUGES_EVERY_S

    def repeat(self) -> None:
        """Send the last update once more, unless that was done already."""
        with self._publishing:
            if self._unheard and self._shown is not None:
                self._unheard = False
                self._publish(self._shown.bundle(), self._id, True)


def _nothing_yet() -> Snapshot:
    return Snapshot(note_html(_NOTHING_YET), _NOTHING_YET, essence=None)
