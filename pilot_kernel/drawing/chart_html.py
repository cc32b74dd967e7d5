"""Charts as HTML and SVG: bars, tables and curves."""

from collections.abc import Sequence
from html import escape

from pilot_kernel.drawing.charts import Axis, Chart, Counts, Curves, Values
from pilot_kernel.drawing.html import BASE, BRAND, LINE, MONO, MUTED, PALETTE, table_html
from pilot_kernel.drawing.units import number, rounded

__all__ = ["charts_html"]

_WIDE, _HIGH = 460, 150
_ERROR_BARS = 60  # more of them would overlap; the band shows the errors then
_LEFT, _TOP, _BOTTOM = 44, 8, 20


def charts_html(charts: Sequence[Chart], left_out: int = 0) -> str:
    """Draw charts one below the other.

    Args:
        charts: What to draw.
        left_out: How many more PUBs there are.
    """
    drawn = [_draw(chart) for chart in charts]
    if left_out:
        drawn.append(f"<div style='{MUTED}'>and {left_out} more</div>")
    return f"<div style='{BASE};max-width:520px'>{''.join(drawn)}</div>"


def _draw(chart: Chart) -> str:
    if isinstance(chart, Counts):
        return _bars(chart)
    return _rows(chart) if isinstance(chart, Values) else _lines(chart)


def _heading(title: str, note: str) -> str:
    shown = " · ".join(escape(part) for part in (title, note) if part)
    return f"<div style='{MUTED};margin:6px 0 4px'>{shown}</div>"


def _bars(counts: Counts) -> str:
    most = max((count for _, count in counts.rows), default=1)
    rows = "".join(
        f"<span style='{MONO}'>{escape(outcome)}</span>"
        f"<span style='height:12px;border-radius:2px;background:{BRAND};"
        f"width:{100 * count / most:.2f}%;min-width:1px'></span>"
        f"<span style='{MONO};text-align:right'>{count:,}</span>"
        f"<span style='{MONO};{MUTED};text-align:right'>{100 * count / counts.shots:.1f}%</span>"
        for outcome, count in counts.rows
    )
    more = f"the {len(counts.rows)} most frequent of {len(counts.rows) + counts.left_out} outcomes"
    return (
        _heading(counts.title, f"{counts.shots:,} shots")
        + "<div style='display:grid;grid-template-columns:max-content 1fr max-content max-content;"
        f"column-gap:12px;row-gap:3px;align-items:center'>{rows}</div>"
        + (f"<div style='{MUTED};margin-top:4px'>{more}</div>" if counts.left_out else "")
    )


def _rows(values: Values) -> str:
    rows = [
        (label, number(value, std), f"± {rounded(std)}" if std or values.shots else "exact")
        for label, value, std in values.rows
    ]
    more = f"and {values.left_out} more" if values.left_out else ""
    return (
        (_heading(values.title, "") if values.title else "")
        + table_html(("observable", "value", "std"), rows, numeric=(1, 2))
        + (f"<div style='{MUTED}'>{more}</div>" if more else "")
    )


def _lines(curves: Curves) -> str:
    flat = [
        value + sign * std
        for row, band in zip(curves.values, curves.stds, strict=True)
        for value, std in zip(row, band, strict=True)
        for sign in (-1, 1)
    ]
    low, high = min(flat), max(flat)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    drawn = "".join(_curve(curves, at, low, high) for at in range(len(curves.values)))
    shown = _heading(curves.title, f"{curves.sets} parameter sets")
    return (
        f"{shown}<svg viewBox='0 0 {_WIDE} {_HIGH}' style='width:100%;max-width:{_WIDE}px' "
        f"role='img'>{_axes(low, high, curves.axis)}{drawn}</svg>{_legend(curves)}"
    )


def _legend(curves: Curves) -> str:
    items = "".join(
        f"<span style='{MONO};margin-right:16px;display:inline-block'>"
        "<span style='display:inline-block;width:14px;height:3px;"
        f"vertical-align:middle;margin-right:6px;background:{colour}'></span>"
        f"{escape(label)}</span>"
        for label, colour in zip(curves.labels, PALETTE, strict=False)
        if label
    )
    return f"<div style='margin-left:{_LEFT}px'>{items}</div>"


def _place(at: float, axis: Axis, value: float, low: float, high: float) -> tuple[float, float]:
    """Where a value at a point of the axis is drawn."""
    first, last = min(axis.points), max(axis.points)
    x = _LEFT + (_WIDE - _LEFT - 8) * (at - first) / ((last - first) or 1)
    return x, _TOP + (_HIGH - _TOP - _BOTTOM) * (high - value) / (high - low)


def _axes(low: float, high: float, axis: Axis) -> str:
    drawn = []
    ticks = sorted({low, high} | ({0.0} if low < 0 < high else {(low + high) / 2}))
    style = f"fill='currentColor' opacity='.65' style='{MONO}'"
    for tick in ticks:
        _, y = _place(axis.points[0], axis, tick, low, high)
        drawn.append(
            f"<line x1='{_LEFT}' x2='{_WIDE - 8}' y1='{y:.1f}' y2='{y:.1f}' "
            f"style='stroke:{LINE};stroke-width:1'/>"
            f"<text x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end' {style}>{tick:.2f}</text>"
        )
    first, last = min(axis.points), max(axis.points)
    middle = escape(axis.name or "set")
    for at, anchor, text in (
        (first, "start", f"{first:.4g}"),
        ((first + last) / 2, "middle", middle),
        (last, "end", f"{last:.4g}"),
    ):
        x, _ = _place(at, axis, low, low, high)
        drawn.append(
            f"<text x='{x:.1f}' y='{_HIGH - 4}' text-anchor='{anchor}' {style}>{text}</text>"
        )
    return "".join(drawn)


def _curve(curves: Curves, at: int, low: float, high: float) -> str:
    colour = PALETTE[at % len(PALETTE)]
    row, band = curves.values[at], curves.stds[at]
    points = len(row)

    def path(values: Sequence[float], order: Sequence[int]) -> str:
        places = [_place(curves.axis.points[i], curves.axis, values[i], low, high) for i in order]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    forth = range(points)
    drawn = ""
    if any(band):
        upper = [value + std for value, std in zip(row, band, strict=True)]
        lower = [value - std for value, std in zip(row, band, strict=True)]
        outline = f"{path(upper, forth)} {path(lower, forth[::-1])}"
        drawn = f"<polygon points='{outline}' style='fill:{colour};opacity:.2'/>"
        if points <= _ERROR_BARS:
            ends = zip(curves.axis.points, lower, upper, strict=True)
            drawn += "".join(_error_bar(curves.axis, *each, low, high, colour) for each in ends)
    return (
        f"{drawn}<polyline points='{path(row, forth)}' "
        f"style='fill:none;stroke:{colour};stroke-width:2;stroke-linejoin:round'/>"
    )


def _error_bar(
    axis: Axis, at: float, lower: float, upper: float, low: float, high: float, colour: str
) -> str:
    """A bar from one standard error below a value to one standard error above it."""
    x, top = _place(at, axis, upper, low, high)
    _, bottom = _place(at, axis, lower, low, high)
    return "".join(
        f"<line x1='{x1:.1f}' x2='{x2:.1f}' y1='{y1:.1f}' y2='{y2:.1f}' "
        f"style='stroke:{colour};stroke-width:1'/>"
        for x1, x2, y1, y2 in (
            (x, x, top, bottom),
            (x - 2, x + 2, top, top),
            (x - 2, x + 2, bottom, bottom),
        )
    )
