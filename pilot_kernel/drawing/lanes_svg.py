"""Workers over time as SVG: lanes with bars, small however many tasks there were.

A task that is wide enough to be seen is a bar of its own. Of those that are not, a column of the
picture shows what share of it they fill, by how high it is.
"""

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby

from pilot_kernel.drawing.html import BASE, LINE, MUTED, PALETTE
from pilot_kernel.drawing.lanes import Bar, Lane, Lanes, coverage, levels
from pilot_kernel.drawing.units import seconds

__all__ = ["lanes_svg"]

_WIDE = 640  # columns of the picture
_LEFT, _RIGHT = 128, 52
_STRIP, _LANE, _GAP = 34, 12, 5
_AXIS = 18
_LEVELS = 6
_SEEN = 3.0  # columns; narrower tasks are shown together
_LABELS = 400  # bars that say what they were when pointed at
_NAME = 18  # characters
_BAD = "var(--jp-error-color1,#d32f2f)"
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def lanes_svg(picture: Lanes) -> str:
    """Draw workers over time.

    Args:
        picture: What to draw.
    """
    lanes = picture.lanes
    bottom = _STRIP + len(lanes) * (_LANE + _GAP)
    colours = {group: PALETTE[at % len(PALETTE)] for at, group in enumerate(picture.groups)}
    labelled = sum(_is_wide(bar, picture) for lane in lanes for bar in lane.bars) <= _LABELS
    drawn = "".join(
        _lane(lane, picture, _STRIP + at * (_LANE + _GAP), colours[lane.group], labelled)
        for at, lane in enumerate(lanes)
    )
    failed = any(bar.bad for lane in lanes for bar in lane.bars)
    whole = _LEFT + _WIDE + _RIGHT
    more = f"<div style='{MUTED}'>and {picture.left_out:,} more</div>" if picture.left_out else ""
    return (
        f"<div style='{BASE};max-width:{whole}px'>"
        f"<svg role='img' aria-label='{escape(picture.label, quote=True)}' viewBox='0 0 {whole} "
        f"{bottom + _AXIS}' style='width:100%;display:block;font-size:11px;fill:currentColor'>"
        f"{_axis(picture, bottom)}{_strip(picture)}{drawn}</svg>"
        f"{_legend(colours, failed)}{more}</div>"
    )


def _x(picture: Lanes, at: float) -> float:
    return _LEFT + _WIDE * at / (picture.duration_s or 1.0)


def _is_wide(bar: Bar, picture: Lanes) -> bool:
    return (bar.end - bar.begin) * _WIDE >= _SEEN * picture.duration_s


def _lane(lane: Lane, picture: Lanes, top: int, colour: str, labelled: bool) -> str:
    middle, low = top + _LANE / 2, top + _LANE
    name = lane.name if len(lane.name) <= _NAME else f"{lane.name[: _NAME - 1]}…"
    drawn = [
        f"<text x='{_LEFT - 8}' y='{low - 2}' text-anchor='end'>{escape(name)}</text>",
        f"<text x='{_LEFT + _WIDE + 6}' y='{low - 2}'>{escape(lane.share)}</text>",
    ]
    if lane.coming is not None:
        drawn.append(
            f"<line x1='{_x(picture, lane.coming[0]):.1f}' x2='{_x(picture, lane.coming[1]):.1f}' "
            f"y1='{middle}' y2='{middle}' stroke-dasharray='1 4' "
            "style='stroke:currentColor;opacity:.5'/>"
        )
    up = "".join(
        f"M{_x(picture, begin):.1f} {top}H{max(_x(picture, end), _x(picture, begin) + 0.5):.1f}"
        f"V{low}H{_x(picture, begin):.1f}z"
        for begin, end in lane.up
    )
    drawn.append(f"<path d='{up}' style='fill:{LINE};opacity:.6'/>" if up else "")
    narrow = [bar for bar in lane.bars if not _is_wide(bar, picture)]
    for bad, fill in ((False, colour), (True, _BAD)):
        spans = [(bar.begin, bar.end) for bar in narrow if bar.bad is bad]
        drawn.append(_columns(spans, picture, low, fill, least=2 if bad else 1))
        wide = [bar for bar in lane.bars if bar.bad is bad and _is_wide(bar, picture)]
        drawn.append(_bars(wide, picture, top, fill, labelled))
    return "".join(drawn)


def _columns(
    spans: Sequence[tuple[float, float]], picture: Lanes, low: int, fill: str, least: int
) -> str:
    """What share of each column is filled, as its height."""
    runs = levels(coverage(spans, picture.duration_s, _WIDE), _LEVELS) if spans else []
    path = "".join(
        f"M{_LEFT + at} {low}v{-max(least, level) * _LANE // _LEVELS}h{count}V{low}z"
        for at, count, level in runs
    )
    return f"<path d='{path}' style='fill:{fill}'/>" if path else ""


def _bars(bars: Sequence[Bar], picture: Lanes, top: int, fill: str, labelled: bool) -> str:
    """A bar for each task, a thin gap between two."""
    if not bars:
        return ""
    places = [(_x(picture, bar.begin), _x(picture, bar.end) - 0.6) for bar in bars]
    if not labelled:
        path = "".join(f"M{x:.1f} {top}H{end:.1f}v{_LANE}H{x:.1f}z" for x, end in places)
        return f"<path d='{path}' style='fill:{fill}'/>"
    return (
        f"<g style='fill:{fill}'>"
        + "".join(
            f"<rect x='{x:.1f}' y='{top}' width='{end - x:.1f}' height='{_LANE}'>"
            f"<title>{escape(bar.label)}</title></rect>"
            for bar, (x, end) in zip(bars, places, strict=True)
        )
        + "</g>"
    )


def _strip(picture: Lanes) -> str:
    """How many tasks waited, as an area above the lanes."""
    numbers = coverage(picture.waiting, picture.duration_s, _WIDE)
    most = max(numbers)
    if most <= 0:
        return ""
    high, low = _STRIP - 10, _STRIP - 6
    edges, at = "", _LEFT
    for height, columns in groupby(round(high * number / most) for number in numbers):
        at += len(list(columns))
        edges += f"V{low - height}H{at}"
    return (
        f"<text x='{_LEFT - 8}' y='{low - 2}' text-anchor='end' opacity='.65'>tasks waiting</text>"
        f"<text x='{_LEFT + _WIDE + 6}' y='{low - high + 10}' opacity='.65'>{most:,.0f}</text>"
        f"<path d='M{_LEFT} {low}{edges}V{low}z' "
        "style='fill:currentColor;opacity:.3'/>"
    )


def _axis(picture: Lanes, bottom: int) -> str:
    """Times below the lanes, and thin lines up from them."""
    duration = picture.duration_s
    step = next((each for each in _TICKS if duration / each <= 8), None)
    if step is None:
        step = 86400 * math.ceil(duration / 86400 / 8)
    elif duration < 4:
        step = 10 ** math.floor(math.log10(duration)) / 2 if duration > 0 else 1
    drawn = []
    for at in (step * number for number in range(int(duration / step + 1e-9) + 1)):
        x = _x(picture, at)
        label = seconds(int(at) if at == int(at) else float(at)) if at else "0"
        drawn.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_STRIP - 4}' y2='{bottom}' "
            f"style='stroke:{LINE}'/>"
            f"<text x='{x:.1f}' y='{bottom + 13}' text-anchor='middle' opacity='.65'>"
            f"{label}</text>"
        )
    return "".join(drawn)


def _legend(colours: dict[str, str], failed: bool) -> str:
    shown = dict(colours) if len(colours) > 1 else {}
    if failed:
        shown["failed, or lost its worker"] = _BAD
    items = "".join(
        f"<span style='margin-right:16px;display:inline-block'><span aria-hidden='true' style='"
        "display:inline-block;width:12px;height:12px;vertical-align:-1px;margin-right:6px;"
        f"background:{colour}'></span>{escape(name)}</span>"
        for name, colour in shown.items()
    )
    return f"<div style='margin-left:{100 * _LEFT / (_LEFT + _WIDE + _RIGHT):.0f}%'>{items}</div>"
