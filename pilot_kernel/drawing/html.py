"""Tables, states and progress as HTML: pure functions, no scripts, colours from the theme.

Everything carries its style inline, so that it looks the same in JupyterLab, in an exported page
and in a saved notebook. Colours are Jupyter's own variables, with fallbacks that read well on
light and on dark paper.
"""

from collections.abc import Sequence
from html import escape

from pilot_kernel.drawing.state_symbols import Mark

__all__ = [
    "BASE",
    "BRAND",
    "LINE",
    "MONO",
    "MUTED",
    "PALETTE",
    "grid_html",
    "mark_html",
    "progress_html",
    "table_html",
]

BRAND = "var(--jp-brand-color1,#1e88e5)"
LINE = "var(--jp-border-color2,rgba(128,128,128,.35))"
MONO = "font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:12px"
BASE = "line-height:1.5;font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px"
MUTED = "opacity:.65"
PALETTE = (BRAND, "#e8833a", "#2ca58d", "#b565c9", "#c94f5d", "#8a8d3a")
"""Colours that can be told apart, in their order."""

_TONES = {
    "quiet": "currentColor",
    "active": BRAND,
    "good": "var(--jp-success-color1,#388e3c)",
    "warn": "var(--jp-warn-color0,#d9720a)",
    "bad": "var(--jp-error-color1,#d32f2f)",
}


def table_html(
    head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()
) -> str:
    """A table of text with thin lines, some columns aligned to the right."""
    cells = [[escape(text) for text in row] for row in rows]
    return grid_html(head, cells, numeric, style=MONO)


def grid_html(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[int] = (),
    *,
    caption: str = "",
    style: str = "",
) -> str:
    """A table whose cells are HTML; the first cell of a row names the row.

    Args:
        head: Names of the columns, as text.
        rows: The cells, as HTML.
        numeric: The columns to align to the right.
        caption: What the table is of, as HTML.
        style: Style of the rows below the head.
    """
    sides = ["right" if at in numeric else "left" for at in range(len(head))]
    style_of = {"td": "", "th": ";font-weight:inherit"}

    def line(tags: Sequence[str], shown: Sequence[str]) -> str:
        cells = "".join(
            f"<{tag} style='text-align:{side};padding:3px 14px 3px 0;border:none"
            f"{style_of[tag[:2]]}'>{each}</{tag[:2]}>"
            for tag, side, each in zip(tags, sides, shown, strict=True)
        )
        return f"<tr style='background:none;border-bottom:1px solid {LINE}'>{cells}</tr>"

    names = [
        f"<span style='font-weight:500;{MUTED}'>{escape(name)}</span>" if name else ""
        for name in head
    ]
    tags = ["th scope=row"] + ["td"] * (len(head) - 1)
    lines = "".join(line(tags, row) for row in rows)
    title = (
        "<caption style='caption-side:top;text-align:left;padding:0 0 4px;color:inherit'>"
        f"{caption}</caption>"
        if caption
        else ""
    )
    return (
        f"<table style='{BASE};border-collapse:collapse;margin:4px 0'>{title}"
        f"<thead>{line(['th scope=col'] * len(head), names)}</thead>"
        f"<tbody style='{style}'>{lines}</tbody></table>"
    )


def mark_html(mark: Mark, word: str) -> str:
    """A state: its symbol in colour, and its word in the colour of text, to be easily read."""
    return (
        "<span style='white-space:nowrap'><span aria-hidden='true' style='display:inline-block;"
        f"width:1.3em;color:{_TONES[mark.tone]}'>{mark.symbol}</span>{escape(word)}</span>"
    )


def progress_html(done: int, parts: int) -> str:
    """A progress bar, and the numbers beside it."""
    share = 100 * done / max(1, parts)
    return (
        "<span style='display:inline-flex;gap:8px;align-items:center;white-space:nowrap'>"
        "<span aria-hidden='true' style='width:72px;height:6px;border-radius:3px;overflow:hidden;"
        f"background:{LINE}'><span style='display:block;height:6px;width:{share:.0f}%;"
        f"background:{BRAND}'></span></span>{done:,}/{parts:,}</span>"
    )
