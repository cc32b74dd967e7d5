"""What a cell displays on its worker, on its way to the notebook as text in the task's output.

Workers import this module too, so it imports no IPython.
"""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pilot_kernel.drawing.units import megabytes

__all__ = [
    "DISPLAY",
    "LIMIT_BYTES",
    "DisplayMessage",
    "decode",
    "encode",
    "latest",
    "plotly_renderer",
    "text_of",
    "under_voila",
]

DISPLAY = "display"
"""The stream that these chunks of a task's output are in."""

LIMIT_BYTES = 8 * 10**6
"""What one display may weigh."""


def under_voila() -> bool:
    """Whether Voilà shows what this process displays, or its notebook does."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def plotly_renderer() -> str:
    """How plotly's figures reach the page.

    JupyterLab's extension for their own type saves a picture with each figure. Under Voilà there
    is no notebook to save it in, and the extension fails, so they travel as HTML.
    """
    return "notebook" if under_voila() else "plotly_mimetype"


@dataclass(frozen=True)
class DisplayMessage:
    """What one call of `display` shows, or the request to clear the output.

    Attributes:
        data: Its representations by MIME type.
        metadata: What goes with them.
        display_id: By this it can be updated later; empty if it cannot.
        update: Whether it replaces what is shown under its id.
        clear: If not empty, only clear the output: `now`, or `wait` for the next display.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    display_id: str = ""
    update: bool = False
    clear: str = ""


def encode(message: DisplayMessage, limit_bytes: int = LIMIT_BYTES) -> str:
    """Write a message as text; a note takes the place of what is too large."""
    text = json.dumps(asdict(message), default=_plain)
    if len(text) <= limit_bytes:
        return text
    kinds = ", ".join(kind for kind in message.data if kind != "text/plain")
    note = (
        f"[not shown: this display takes {megabytes(len(text))} ({kinds or 'text'}), "
        f"{megabytes(limit_bytes)} are allowed]"
    )
    plain = str(message.data.get("text/plain", ""))[:1000]
    stand_in = DisplayMessage(
        {"text/plain": f"{plain}\n{note}".strip()}, {}, message.display_id, message.update
    )
    return json.dumps(asdict(stand_in))


def _plain(value: Any) -> Any:
    """A value that JSON does not know, as text; images as Jupyter sends them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return value.tolist()
    return str(value)


def decode(text: str) -> DisplayMessage:
    """Read a message that `encode` wrote."""
    return DisplayMessage(**json.loads(text))


def latest(messages: Iterable[DisplayMessage]) -> list[DisplayMessage]:
    """What is seen in the end: updated displays in their places, without what was cleared."""
    seen: list[DisplayMessage] = []
    for each in messages:
        if each.clear:
            seen.clear()
        elif each.update:
            same = [at for at, old in enumerate(seen) if old.display_id == each.display_id]
            for at in same:
                seen[at] = each
        else:
            seen.append(each)
    return seen


def text_of(message: DisplayMessage) -> str:
    """A message for front ends that show text only: some lines, or nothing."""
    plain = str(message.data.get("text/plain", ""))
    if not plain and message.data:  # a figure of plotly has no text
        plain = f"[{', '.join(message.data)}: %qresult shows it]"
    return f"{plain}\n" if plain else ""
