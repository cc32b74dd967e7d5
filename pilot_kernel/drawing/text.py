"""The same pictures for a terminal: pure functions from data to lines of text."""

import math
import time
from collections.abc import Sequence

from pilot_kernel.drawing.results import Counts, Curves, Figure, Values

__all__ = ["bar", "clock", "figures_text", "number", "rounded", "seconds", "table_text"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTH = 32


def figures_text(figures: Sequence[Figure], left_out: int = 0) -> str:
    """Draw figures one below the other; `left_out` is how many more PUBs there are."""
    drawn = [_draw(figure) for figure in figures]
    return "\n\n".join([*drawn, f"and {left_out} more"] if left_out else drawn)


def _draw(figure: Figure) -> str:
    if isinstance(figure, Counts):
        return _bars(figure)
    return _rows(figure) if isinstance(figure, Values) else _lines(figure)


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


def bar(share: float, width: int = _WIDTH) -> str:
    """A bar of `share` (0 to 1) of `width` characters."""
    eighths = max(1, round(8 * width * share)) if share > 0 else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


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


def table_text(
    head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()
) -> str:
    """Columns of text, numbers aligned to the right."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if at in numeric else text.ljust(width)
            for at, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def rounded(std: float) -> str:
    """A standard error with two digits that count."""
    if std == 0 or not math.isfinite(std):
        return f"{std:g}"
    places = max(0, 1 - math.floor(math.log10(abs(std))))
    return f"{std:.{places}f}" if places < 9 else f"{std:.1e}"


def number(value: float, std: float = 0.0) -> str:
    """A value with as many digits as its standard error allows."""
    if std > 0 and math.isfinite(std):
        places = max(0, 1 - math.floor(math.log10(std)))
        return f"{value:+.{min(places, 10)}f}"
    return f"{value:+.6f}"


def seconds(duration: float | None) -> str:
    """A duration as people read it; one that is given in whole seconds, without a fraction."""
    if duration is None:
        return ""
    if duration < 10 and not isinstance(duration, int):
        return f"{duration:.1f} s"
    if duration < 60:
        return f"{duration:.0f} s"
    minutes, rest = divmod(round(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def clock(at: float) -> str:
    """A moment (unix seconds) as the clock and the calendar here have it."""
    return time.strftime("%H:%M:%S on %Y-%m-%d", time.localtime(at))
