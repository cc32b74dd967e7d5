"""All views in one widget, so that they change together: figures go out, clicks come back.

What is drawn and what a click means is decided elsewhere. Nothing is loaded from the network:
plotly.js is the one in the plotly package, sent to a page once.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FIGURES", "Board", "plotly_js"]

FIGURES = ("tradeoff", "circuit", "fragments", "timeline")
"""The views that are figures, in order."""

_HERE = Path(__file__).parent


class Board(anywidget.AnyWidget):
    """The views of an explorer.

    Attributes:
        tradeoff: Figure as JSON, like `circuit`, `fragments` and `timeline`.
        numbers: Table as HTML.
        summary: What is selected, in a sentence or two, also for screen readers.
        explained: What uncommon words in the summary mean.
        status: What goes on.
        caption: What stands below the trade-off; empty for nothing.
        code: Python source; empty to show none.
        options: Choices made on the board: what the trade-off shows, circuit or coupling graph,
            which group of terms is drawn.
        alternatives: What each figure shows, in words.
        hints: What the controls with these labels are for.
        library: plotly.js, compressed, until a page has it; only the first board brings it along.
        stills: Pictures of the figures as SVG, by name, until a page has loaded plotly.js.
        stamp: Changes last, whenever anything did: which state this is.
        live: A page has loaded plotly.js, so that no stills are needed.
    """

    _esm = _HERE / "board.js"
    _css = _HERE / "board.css"

    tradeoff = traitlets.Bytes(b"").tag(sync=True)
    circuit = traitlets.Bytes(b"").tag(sync=True)
    fragments = traitlets.Bytes(b"").tag(sync=True)
    timeline = traitlets.Bytes(b"").tag(sync=True)
    numbers = traitlets.Unicode("").tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    explained = traitlets.Unicode("").tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    code = traitlets.Unicode("").tag(sync=True)
    options = traitlets.Dict().tag(sync=True)
    alternatives = traitlets.Dict().tag(sync=True)
    hints = traitlets.Dict().tag(sync=True)
    library = traitlets.Bytes(b"").tag(sync=True)
    stills = traitlets.Dict().tag(sync=True)
    stamp = traitlets.Dict().tag(sync=True)

    _brought: ClassVar[bool] = False

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(library=b"" if Board._brought else plotly_js())
        Board._brought = True
        self._heard = heard
        self.live = False
        self.on_msg(self._on_message)

    def update(self, parts: Mapping[str, object], stamp: dict[str, Any]) -> None:
        """Show something new, in one message.

        Args:
            parts: Values of attributes that have changed.
            stamp: Of this state.
        """
        with self.hold_sync():
            for name, value in parts.items():
                setattr(self, name, value)
            self.stamp = stamp

    def download(self, name: str, kind: str, content: bytes) -> None:
        """Let the browser save a file.

        Args:
            name: Of the file.
            kind: Its media type.
            content: Of the file.
        """
        self.send({"do": "download", "name": name, "type": kind}, [content])

    def picture(self, name: str, kind: str) -> None:
        """Let the browser save all figures as one picture, "png" or "svg"."""
        self.send({"do": "picture", "name": name, "type": kind})

    def close(self) -> None:
        """Take it away; what heard its messages is let go."""
        self._heard = _nobody
        super().close()

    def _on_message(self, _: object, content: dict[str, Any], __: object) -> None:
        if self.library:
            self.library = b""  # a notebook that saves widgets need not keep it
        if content.get("wants") == "plotly":
            self.send({"do": "plotly"}, [plotly_js()])
        elif content.get("live") is True:
            self.live, self.stills = True, {}
        else:
            self._heard(content)


def _nobody(_: dict[str, Any]) -> None:
    pass


@functools.cache
def plotly_js() -> bytes:
    """plotly.js, compressed: it may have a long way to go to the browser."""
    found = importlib.util.find_spec("plotly")  # importing it would take longer than the rest
    assert found is not None, "a requirement of this package"
    assert found.origin is not None, "a package with a file"
    source = Path(found.origin).parent / "package_data" / "plotly.min.js"
    return gzip.compress(source.read_bytes(), 1)
