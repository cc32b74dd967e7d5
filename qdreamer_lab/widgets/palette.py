"""Colours, and what goes with them so that nothing is said by colour alone.

Fragments have a colour, a marker and a letter each. All text has a contrast of 4.5 or more with
what is under it, and all lines and outlines one of 3 or more (WCAG 2.1, level AA). Plain data; it
must not know plotly.
"""

from __future__ import annotations

from dataclasses import dataclass

from qdreamer_lab.workload.picture.layout import COLOURS

__all__ = [
    "CLASSES",
    "DARK",
    "KINDS",
    "LIGHT",
    "SYMBOLS",
    "Look",
    "Theme",
    "contrast",
    "look_of",
    "look_of_kind",
    "theme",
]


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of everything but fragments.

    Attributes:
        background: Under everything.
        ink: Text, and the marks of cuts.
        muted: Text and lines that matter less.
        grid: Lines that only help the eye.
        accent: The recommendation.
        fills: Of fragments, in their order.
        lines: Outlines and wires of fragments, in their order.
    """

    background: str
    ink: str
    muted: str
    grid: str
    accent: str
    fills: tuple[str, ...]
    lines: tuple[str, ...]


LIGHT = Theme(
    background="#ffffff",
    ink="#1a1a1a",
    muted="#5f6368",
    grid="#e6e6e6",
    accent="#b34700",
    fills=COLOURS,
    lines=(
        "#0072b2",
        "#a86f00",
        "#00805c",
        "#b0558a",
        "#2a86c0",
        "#c05300",
        "#7a5e18",
        "#6e6e6e",
    ),
)

DARK = Theme(
    background="#111111",
    ink="#f0f0f0",
    muted="#b4b8bd",
    grid="#333333",
    accent="#ff9a52",
    fills=(
        "#3f97d6",
        "#e69f00",
        "#1fb58c",
        "#d98cb8",
        "#8ccdf2",
        "#f07b2e",
        "#b8963c",
        "#a0a0a0",
    ),
    lines=(
        "#5aaae3",
        "#f0b030",
        "#2fc79a",
        "#e29fc5",
        "#9ad4f5",
        "#ff924a",
        "#c9a852",
        "#b0b0b0",
    ),
)

CLASSES = len(COLOURS)
"""Colours there are; fragments that differ by a multiple of this have the same one."""

SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "hexagon",
    "cross",
    "pentagon",
    "hexagram",
    "octagon",
)
"""Markers, in the order in which fragments take them."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a fragment looks.

    Attributes:
        fill: Of its boxes and nodes.
        line: Of its wires and outlines.
        text: Of text on its fill.
        symbol: Its marker.
    """

    fill: str
    line: str
    text: str
    symbol: str


def theme(dark: bool) -> Theme:
    """The dark one or the light one."""
    return DARK if dark else LIGHT


def look_of(fragment: int, dark: bool = False) -> Look:
    """How a fragment looks; what does not run (-1) is grey.

    Colours repeat after eight fragments, and then go with other markers, until 64.
    """
    colours = theme(dark)
    if fragment < 0:
        return Look(colours.grid, colours.muted, colours.ink, "circle-open")
    place, lap = fragment % len(colours.fills), fragment // len(colours.fills)
    fill = colours.fills[place]
    text = max("#000000", "#ffffff", key=lambda colour: contrast(colour, fill))
    symbol = SYMBOLS[(place + lap) % len(SYMBOLS)]
    return Look(fill, colours.lines[place], text, symbol)


KINDS = ("exact", "sampled", "exact MPS", "exact stabilizer", "exact, GPU", "sampled, GPU")
"""Kinds of runs, in the order in which they take looks: each looks the same in every figure."""


def look_of_kind(kind: str, dark: bool = False) -> Look:
    """How points of a kind of run look, whatever else is drawn; kinds without a name are alike."""
    return look_of(KINDS.index(kind) if kind in KINDS else len(KINDS), dark)


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours `#rrggbb`, from 1 to 21, as WCAG 2.1 defines it."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
