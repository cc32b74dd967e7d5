"""What a cell displays on its worker, on its way to the notebook: text within the task's output.

Workers import this module too, so it imports no IPython.
"""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pilot_kernel.jupyter.worker.payload import megabytes

__all__ = [
    "DISPLAY",
    "LIMIT_BYTES",
    "Shown",
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
    """How figures of plotly travel to the page.

    JupyterLab's extension for their own type saves a picture with each figure. Under Voilà there
    is no notebook to save it in, and the extension fails, so they travel as HTML.
    """
    return "notebook" if under_voila() else "plotly_mimetype"


@dataclass(frozen=True)
class Shown:
    """One thing displayed, or the wish to clear what was.

    Attributes:
        data: Its representations by MIME type.
        metadata: What goes with them.
        display_id: By which it can be updated later; empty if it cannot.
        update: It replaces what is shown under its id.
        clear: Instead of all that: clear the output; `wait` until there is something new.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    display_id: str = ""
    update: bool = False
    clear: str = ""


def encode(shown: Shown, limit_bytes: int = LIMIT_BYTES) -> str:
    """As text. What is too large is left out, and what stands in its place says so."""
    text = json.dumps(asdict(shown), default=_plain)
    if len(text) <= limit_bytes:
        return text
    kinds = ", ".join(kind for kind in shown.data if kind != "text/plain")
    note = (
        f"[not shown: this display takes {megabytes(len(text))} ({kinds or 'text'}), "
        f"{megabytes(limit_bytes)} are allowed]"
    )
    plain = str(shown.data.get("text/plain", ""))[:1000]
    stand_in = Shown({"text/plain": f"{plain}\n{note}".strip()}, {}, shown.display_id, shown.update)
    return json.dumps(asdict(stand_in))


def _plain(value: Any) -> Any:
    """What JSON has no word for: images travel as Jupyter has them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return value.tolist()
    return str(value)


def decode(text: str) -> Shown:
    """Back from text."""
    return Shown(**json.loads(text))


def latest(shown: Iterable[Shown]) -> list[Shown]:
    """What is to be seen in the end: updates in their places, and nothing that was cleared."""
    seen: list[Shown] = []
    for each in shown:
        if each.clear:
            seen.clear()
        elif each.update:
            same = [at for at, old in enumerate(seen) if old.display_id == each.display_id]
            for at in same:
                seen[at] = each
        else:
            seen.append(each)
    return seen


def text_of(shown: Shown) -> str:
    """For who can show text only: a line or more, or nothing."""
    plain = str(shown.data.get("text/plain", ""))
    if not plain and shown.data:  # a figure of plotly has no text
        plain = f"[{', '.join(shown.data)}: %qresult shows it]"
    return f"{plain}\n" if plain else ""
