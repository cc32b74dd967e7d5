"""Numbers, sizes, durations and times of day as people read them."""

import math
import time

__all__ = ["clock", "megabytes", "number", "rounded", "seconds"]


def rounded(std: float) -> str:
    """A standard error with two significant digits."""
    if std == 0 or not math.isfinite(std):
        return f"{std:g}"
    places = max(0, 1 - math.floor(math.log10(abs(std))))
    return f"{std:.{places}f}" if places < 9 else f"{std:.1e}"


def number(value: float, std: float = 0.0) -> str:
    """A value with as many digits as its standard error allows; six without an error."""
    if std > 0 and math.isfinite(std):
        places = max(0, 1 - math.floor(math.log10(std)))
        return f"{value:+.{min(places, 10)}f}"
    return f"{value:+.6f}"


def seconds(duration: float | None) -> str:
    """A duration as text; an `int` is shown without a fraction."""
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
    """A time (unix seconds) as the local time and date."""
    return time.strftime("%H:%M:%S on %Y-%m-%d", time.localtime(at))


def megabytes(size: int) -> str:
    """A number of bytes as text, with the unit that fits."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"
