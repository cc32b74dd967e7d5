"""Shows in the notebook what its session tells unasked, such as that the agent's job will end.

A notice comes from any thread. It appears in the cell that runs, or ran last.
"""

import logging
import secrets
from html import escape
from typing import Any

from pilot_kernel.drawing.units import clock
from pilot_kernel.resource import notices

__all__ = ["NoticeBoard"]


class NoticeBoard(logging.Handler):
    """Handles the records of `notices.LOGGER` while it is up.

    Args:
        shell: The shell of the notebook.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__()
        self._shell = shell
        self._publisher = shell.display_pub  # it reaches the front end even if a cell captures
        self._shown: dict[str, tuple[int, str]] = {}
        self._propagated = True

    def put_up(self) -> None:
        """Begin to show notices."""
        logger = logging.getLogger(notices.LOGGER)
        self._propagated = logger.propagate
        logger.addHandler(self)
        logger.propagate = False

    def take_down(self) -> None:
        """Leave notices to the log again."""
        logger = logging.getLogger(notices.LOGGER)
        logger.removeHandler(self)
        logger.propagate = self._propagated

    def emit(self, record: logging.LogRecord) -> None:
        """Show a notice; a later one on its topic takes its place if that is in the same cell."""
        topic, text = str(getattr(record, "topic", "")), record.getMessage()
        now = int(self._shell.execution_count)
        cell, display = self._shown.get(topic, (-1, ""))
        update = cell == now
        if not update:
            display = f"pilot-notice-{secrets.token_hex(8)}"
        self._shown[topic] = (now, display)
        try:
            self._publisher.publish(
                data=_bundle(text, record.created),
                metadata={},
                transient={"display_id": display},
                update=update,
            )
        except Exception:  # noqa: BLE001 nobody who has something to tell fails for that
            self.handleError(record)


def _bundle(text: str, at: float) -> dict[str, str]:
    told = f"{text} ({clock(at)})"
    frame = "border-left:3px solid #d29922;padding:2px 0 2px 8px;font-size:13px"
    return {
        "text/html": f"<div role='status' style='{frame}'>{escape(told)}</div>",
        "text/plain": told,
    }
