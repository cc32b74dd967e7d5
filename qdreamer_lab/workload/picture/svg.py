"""A plan as an SVG figure: wires and blocks, or, for wide circuits, fragments and what joins them.

Plain text in, plain text out, so that no plotting library is needed. Fragments have a colour and a
letter each; gate cuts are dashed and crossed, wire cuts two slashes, all in black.
"""

from __future__ import annotations

import math
from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from qdreamer_lab.workload.cut.cuts import GateCut
from qdreamer_lab.workload.picture.layout import COLOURS, fragment_name, picture_of

if TYPE_CHECKING:
    from qdreamer_lab.workload.cut.partition import Partition
    from qdreamer_lab.workload.picture.layout import Picture

__all__ = ["draw_svg"]

_ROW, _COLUMN, _LEFT, _TOP = 20, 24, 62, 14

_LEAD = 26
"""Room for a wire cut and the letter of what follows."""

_NARROWEST = 330
"""Pixels the legend needs."""

_WIDEST = 48
"""Circuits with more qubits are shown by fragment, ..."""

_MOST_BLOCKS, _MOST_COLUMNS = 400, 160
"""... and so are those with more of these: a picture is part of a saved notebook."""

_MOST_FRAGMENTS = 24
"""Fragments shown, the widest ones."""

_INK = "#1a1a1a"


def draw_svg(plan: Partition) -> str:
    """Draw a plan.

    Returns:
        The source of an SVG element that stands on its own, on a white ground.
    """
    blocks = plan.blocks
    if blocks.num_qubits > _WIDEST or blocks.num_blocks > _MOST_BLOCKS:
        return _by_fragment(plan)
    picture = picture_of(plan)
    if picture.num_columns > _MOST_COLUMNS:
        return _by_fragment(plan)
    return _by_wire(plan, picture)


def _by_wire(plan: Partition, picture: Picture) -> str:
    places = _places(picture)
    width = max(_NARROWEST, places[-1] + 16)
    height = 2 * _TOP + _ROW * plan.blocks.num_qubits + 22
    parts: list[str] = []
    for qubit in range(plan.blocks.num_qubits):
        parts += _wire(picture.starts[qubit], qubit, places, width - 10)
    for block in range(plan.blocks.num_blocks):
        parts.append(_block(plan, block, places[int(picture.column[block])]))
    legend = (
        f'<text x="8" y="{height - 10}">● block &#160; ✕ gate cut &#160; // wire cut &#160; '
        "A, B, … fragment</text>"
    )
    return _figure(width, height, [*parts, legend], plan.summary)


def _places(picture: Picture) -> list[int]:
    """The x of each column, and of the end."""
    places = []
    x = _LEFT + _COLUMN // 2
    for column in range(picture.num_columns):
        x += _LEAD if column in picture.led else 0
        places.append(x)
        x += _COLUMN
    return [*places, x]


def _wire(
    segments: tuple[tuple[int, int], ...], qubit: int, places: list[int], right: int
) -> list[str]:
    """One wire: a stretch and a letter per segment, two slashes between segments."""
    y = _y(qubit)
    parts = [f'<text x="34" y="{y + 4}" text-anchor="end" class="q">q{qubit}</text>']
    cuts = [places[column] - _COLUMN // 2 - _LEAD for _, column in segments[1:]]
    begins = [_LEFT - 8, *[cut + 27 for cut in cuts]]
    for k, (label, _) in enumerate(segments):
        end = cuts[k] - 1 if k < len(cuts) else right
        parts.append(
            f'<path d="M{begins[k]} {y}H{end}" stroke="{_colour(label)}" stroke-width="3"/>'
        )
        parts.append(_tag(begins[k] - 8, y, label))
    parts += [
        f'<path d="M{cut} {y + 6}l4 -12m1 12l4 -12" stroke="{_INK}" stroke-width="1.6"/>'
        for cut in cuts
    ]
    return parts


def _block(plan: Partition, block: int, x: int) -> str:
    """One block: dots and a line in its fragment's colour, or crosses and a dashed line."""
    low, high = plan.blocks.pairs[block].tolist()
    low_label, high_label = plan.labels[block].tolist()
    if low_label == high_label:
        ends = "".join(f'<circle cx="{x}" cy="{_y(q)}" r="4.5"/>' for q in (low, high))
        line = f'<path d="M{x} {_y(low)}V{_y(high)}" stroke-width="2"/>'
        return f'<g fill="{_colour(low_label)}" stroke="{_colour(low_label)}">{line}{ends}</g>'
    crosses = "".join(f"M{x - 5} {_y(q) - 5}l10 10m0 -10l-10 10" for q in (low, high))
    return (
        f'<path d="M{x} {_y(low)}V{_y(high)}" stroke="{_INK}" stroke-dasharray="3 3"/>'
        f'<path d="{crosses}" stroke="{_INK}" stroke-width="2"/>'
    )


def _by_fragment(plan: Partition) -> str:
    """Fragments on a circle, joined by lines that say how many cuts they stand for."""
    shown = sorted(plan.fragments, key=lambda f: (-f.width, f.id))[:_MOST_FRAGMENTS]
    radius = max(70, 26 * len(shown))
    centre = max(_NARROWEST // 2, radius + 60)
    widest = max((f.width for f in shown), default=1)
    at: dict[int, tuple[float, float]] = {}
    parts: list[str] = []
    for k, f in enumerate(sorted(shown, key=lambda f: f.id)):
        angle = 2 * math.pi * k / len(shown) - math.pi / 2
        reach = radius if len(shown) > 1 else 0
        at[f.id] = (centre + reach * math.cos(angle), centre + reach * math.sin(angle))
        x, y = at[f.id]
        size = 18 + 16 * math.sqrt(f.width / widest)
        parts.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{size:.0f}" fill="#fff" '
            f'stroke="{_colour(f.id)}" stroke-width="5"/>'
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" class="b">'
            f"{fragment_name(f.id)}</text>"
            f'<text x="{x:.0f}" y="{y + 13:.0f}" text-anchor="middle">{f.width} q</text>'
        )
    lines = _joins(plan, at)
    side = max(_NARROWEST, 2 * centre)
    left_out = len(plan.fragments) - len(shown)
    more = f"; {left_out} narrower fragments are not shown" if left_out else ""
    legend = f'<text x="8" y="{side + 12}">g gate cuts, w wire cuts, q qubits{more}</text>'
    return _figure(side, side + 22, [*lines, *parts, legend], plan.summary)


def _joins(plan: Partition, at: dict[int, tuple[float, float]]) -> list[str]:
    """A line for every pair of fragments with cuts between them."""
    count: Counter[tuple[int, int, str]] = Counter()
    for cut in plan.cuts:
        low, high = sorted(cut.fragments)
        count[low, high, "g" if isinstance(cut, GateCut) else "w"] += 1
    between: dict[tuple[int, int], list[str]] = {}
    for (low, high, kind), number in sorted(count.items()):
        between.setdefault((low, high), []).append(f"{number}{kind}")
    parts = []
    for (low, high), said in between.items():
        if low not in at or high not in at:
            continue
        (x1, y1), (x2, y2) = at[low], at[high]
        # Not in the middle, where lines across the circle meet.
        x, y = x1 + 0.42 * (x2 - x1), y1 + 0.42 * (y2 - y1)
        label = " + ".join(said)
        half = 4 + 3 * len(label)
        parts.append(
            f'<path d="M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}" stroke="{_INK}" '
            f'stroke-width="1.5" stroke-dasharray="4 3"/>'
            f'<rect x="{x - half:.0f}" y="{y - 9:.0f}" width="{2 * half}" height="16" fill="#fff"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{label}</text>'
        )
    return parts


def _tag(x: int, y: int, label: int) -> str:
    """A fragment's letter."""
    return f'<text x="{x}" y="{y + 4}" text-anchor="middle" class="b">{fragment_name(label)}</text>'


def _figure(width: int, height: int, parts: list[str], title: str) -> str:
    style = (
        "text{font:11px sans-serif;fill:#1a1a1a}.q{fill:#666}.b{font-weight:bold}path{fill:none}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img"><title>{escape(title)}</title>'
        f"<style>{style}</style>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _colour(label: int) -> str:
    return "#bbbbbb" if label < 0 else COLOURS[label % len(COLOURS)]


def _y(qubit: int) -> int:
    return _TOP + _ROW * qubit + _ROW // 2
