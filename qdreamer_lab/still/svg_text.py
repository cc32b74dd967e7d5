"""Text of figures, which plotly writes with a few tags, as SVG; and how much room it takes."""

from __future__ import annotations

import re
from html import escape

from qdreamer_lab.still.reading import plain

__all__ = ["LINE", "lines_of", "text", "width_of"]

LINE = 1.3
"""From line to line, in sizes of the text."""

_LETTER = 0.54
"""Mean width of a letter, in sizes of the text."""

_UP, _SMALL = 0.4, 0.7
"""How far a superscript is raised, and its size, in sizes of the text."""

_TAG = re.compile(r"<(/?)(\w+)([^>]*)>")
_SIGNS = (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\N{NO-BREAK SPACE}"), ("&amp;", "&"))
_SIZE = re.compile(r"font-size:\s*([\d.]+)px")


def lines_of(words: str) -> list[str]:
    """Lines of a text."""
    return re.split(r"<br\s*/?>", words)


def width_of(words: str, size: float) -> float:
    """About how many pixels the longest line of a text takes."""
    return max(_LETTER * size * len(plain(line)) for line in lines_of(words))


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float,
    colour: str,
    anchor: str = "start",
    turn: int = 0,
) -> str:
    """A text whose lines lie around `y`.

    Args:
        x: Where it begins, ends, or has its middle, in pixels.
        y: Its middle.
        words: With the tags that plotly knows: b, i, sup, sub, span, br.
        size: Of its letters, in pixels.
        colour: Of its letters.
        anchor: "start", "middle" or "end": what `x` is.
        turn: Degrees by which it is turned around its place.
    """
    lines = lines_of(words)
    if not plain(words).strip():
        return ""
    top = y - LINE * size * (len(lines) - 1) / 2 + 0.35 * size
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    rows = [
        f'<text x="{x:.1f}" y="{top + LINE * size * k:.1f}" font-size="{size:g}" '
        f'fill="{escape(colour)}" text-anchor="{anchor}"{turned}>{_marked(line, size)}</text>'
        for k, line in enumerate(lines)
    ]
    return "".join(rows)


def _marked(line: str, size: float) -> str:
    """A line with tspans in place of plotly's tags; tags that it does not know are dropped."""
    parts: list[str] = []
    opened: list[str] = []
    at, back = 0, 0.0
    for found in _TAG.finditer(line):
        parts.append(_shifted(line[at : found.start()], back))
        back = 0.0 if line[at : found.start()] else back
        at = found.end()
        close, name = found[1], found[2].lower()
        if not close:
            parts.append(f"<tspan{_attributes(name, found[3], size)}>")
            opened.append(name)
        elif name in opened:
            while (last := opened.pop()) != name:
                parts.append("</tspan>")
            parts.append("</tspan>")
            back += {"sup": _UP, "sub": -_UP}.get(last, 0.0) * size * _SMALL
    parts.append(_shifted(line[at:], back))
    return "".join(parts) + "</tspan>" * len(opened)


def _shifted(words: str, by: float) -> str:
    """Text after a superscript, back on its line."""
    words = escape(_unescaped(words), quote=False)
    return f'<tspan dy="{by:.1f}">{words}</tspan>' if by and words else words


def _unescaped(words: str) -> str:
    for name, sign in _SIGNS:
        words = words.replace(name, sign)
    return words


def _attributes(name: str, given: str, size: float) -> str:
    if name == "b":
        return ' font-weight="600"'
    if name == "i":
        return ' font-style="italic"'
    if name in ("sup", "sub"):
        up = -_UP if name == "sup" else _UP
        return f' dy="{up * size * _SMALL:.1f}" font-size="{_SMALL * size:.1f}"'
    found = _SIZE.search(given)
    return f' font-size="{found[1]}"' if found else ""
