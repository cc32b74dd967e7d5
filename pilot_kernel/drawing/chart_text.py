"""Charts as text: bars, tables and curves made of characters."""

import math
from collections.abc import Sequence

from pilot_kernel.drawing.charts import Chart, Counts, Curves, Values
from pilot_kernel.drawing.text import bar, table_text
from pilot_kernel.drawing.units import number, rounded

__all__ = ["charts_text"]

_HEIGHTS = "▁▂▃▄▅▆▇█"


def charts_text(charts: Sequence[Chart], left_out: int = 0) -> str:
    """Draw charts one below the other; `left_out` is how many more PUBs there are."""
    drawn = [_draw(chart) for chart in charts]
    return "\n\n".join([*drawn, f"and {left_out} more"] if left_out else drawn)


def _draw(chart: Chart) -> str:
    if isinstance(chart, Counts):
        return _bars(chart)
    return _rows(chart) if isinstance(chart, Values) else _lines(chart)


def _bars(counts: Counts) -> str:
    most = max((count for _, count in counts.rows), default=1)
    lines = [" · ".join(part for part in (counts.title, f"{counts.shots:,} shots") if part)]
    width = len(f"{most:,}")
    lines += [
        f"{outcome}  {count:>{width},}  {100 * count / counts.shots:5.1f}%  {bar(count / most)}"
        for outcome, count in counts.rows
    ]
    if counts.left_out:
        lines.append(f"and {counts.left_out} outcomes less frequent")
    return "\n".join(lines)


def _rows(values: Values) -> str:
    rows = [
        (label, number(value, std), f"± {rounded(std)}" if std or values.shots else "exact")
        for label, value, std in values.rows
    ]
    lines = [values.title] if values.title else []
    lines.append(table_text(("observable", "value", "std"), rows, numeric=(1, 2)))
    if values.left_out:
        lines.append(f"and {values.left_out} more")
    return "\n".join(lines)


def _lines(curves: Curves) -> str:
    title = f"{curves.sets} parameter sets"
    if curves.axis.name:
        first, last = curves.axis.points[0], curves.axis.points[-1]
        title += f", {curves.axis.name} from {first:.4g} to {last:.4g}"
    lines = [" · ".join(part for part in (curves.title, title) if part)]
    width = max(len(label) for label in curves.labels)
    for label, row, band in zip(curves.labels, curves.values, curves.stds, strict=True):
        low, high = min(row), max(row)
        step = max((high - low) / (len(_HEIGHTS) - 1), 1e-6)
        kept = row[:: max(1, math.ceil(len(row) / 64))]
        drawn = "".join(_HEIGHTS[round((value - low) / step)] for value in kept)
        error = f" ± {rounded(max(band))} at most" if any(band) else ""
        lines.append(f"{label:<{width}}  {drawn}  {low:.3f} … {high:.3f}{error}".strip())
    return "\n".join(lines)
