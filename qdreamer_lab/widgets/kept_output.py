"""The explorer's static form in a notebook, as it was last: what is there when that is reopened.

A page that shows the live explorer hides it. It makes nothing and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KeptOutput"]

_STYLE = """<style>
.jp-OutputArea-child:has(.qd-static):has(+ .jp-OutputArea-child .qd-board),
.jp-OutputArea-child:has(.qd-static) + .jp-OutputArea-child:not(:has(.qd-board)) { display: none }
</style>"""
"""Either the static form is seen or the live one behind it, and no word of one that is lost."""


class KeptOutput:
    """Shows a static form and the live one behind it, and brings the former up to date."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        self._last = ""

    @property
    def shown(self) -> bool:
        """Whether anything has to be brought up to date."""
        return bool(self._handles)

    def show(self, html: str, text: str, live: Mapping[str, Any]) -> None:
        """Show it in the cell that runs.

        Args:
            html: The static form.
            text: The same for a terminal.
            live: MIME bundle of the live form.
        """
        from IPython.display import display

        self._last = html
        self._handles.append(display(_bundle(html, text), raw=True, display_id=True))
        display({**live, "text/html": "", "text/plain": ""}, raw=True)

    def update(self, html: str, text: str) -> None:
        """Bring it up to date, wherever it was shown; nothing is sent if it is the same."""
        if html == self._last:
            return
        self._last = html
        for handle in self._handles:
            handle.update(_bundle(html, text), raw=True)


def _bundle(html: str, text: str) -> dict[str, str]:
    return {"text/html": f'{_STYLE}<div class="qd-static">{html}</div>', "text/plain": text}
