"""Workers over time, a lane for each: what to draw, how it is boiled down, and as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from pilot_kernel.drawing.sparkline import spark_text

__all__ = ["Bar", "Lane", "Lanes", "coverage", "lanes_text", "levels"]

_TEXT_WIDE = 48


@dataclass(frozen=True)
class Bar:
    """A stretch of work in a lane, in seconds from the beginning of the picture.

    Attributes:
        begin: When it began.
        end: When it ended.
        label: What it was.
        bad: Whether it failed, or was lost.
    """

    begin: float
    end: float
    label: str
    bad: bool = False


@dataclass(frozen=True)
class Lane:
    """One worker, in seconds from the beginning of the picture.

    Attributes:
        name: Its name.
        group: What it belongs to; a colour for each.
        coming: From when it was asked for, until it first came; None if that is not known.
        up: When it was there.
        bars: What it did, in order.
        share: How well it was used, as text.
    """

    name: str
    group: str
    coming: tuple[float, float] | None
    up: tuple[tuple[float, float], ...]
    bars: tuple[Bar, ...]
    share: str


@dataclass(frozen=True)
class Lanes:
    """A picture of workers over time.

    Attributes:
        duration_s: How long it is.
        lanes: The lanes, from the top down.
        left_out: How many more workers there are.
        waiting: When each task waited for a worker, as spans.
        label: All of it in words.
    """

    duration_s: float
    lanes: tuple[Lane, ...]
    left_out: int
    waiting: tuple[tuple[float, float], ...]
    label: str

    @property
    def groups(self) -> list[str]:
        """The groups in the order of their first lanes."""
        return list(dict.fromkeys(lane.group for lane in self.lanes))


def coverage(
    spans: Sequence[tuple[float, float]], duration_s: float, columns: int
) -> tuple[float, ...]:
    """How many of the spans there were at a time, on average over each of equal parts of it.

    Args:
        spans: The spans, in seconds.
        duration_s: The whole.
        columns: How many parts.
    """
    # Changes of the sum at the edges of columns, so that a long span costs no more than a short.
    steps, parts = [0.0] * (columns + 1), [0.0] * (columns + 1)
    scale = columns / duration_s if duration_s > 0 else 0.0
    for begin, end in spans:
        first, last = max(0.0, begin * scale), min(float(columns), end * scale)
        if last <= first:
            continue
        at, to = int(first), min(int(last), columns - 1)
        if at == to:
            parts[at] += last - first
            continue
        parts[at] += at + 1 - first
        parts[to] += last - to
        steps[at + 1] += 1.0
        steps[to] -= 1.0
    found, whole = [], 0.0
    for step, part in zip(steps[:columns], parts, strict=False):
        whole += step
        found.append(whole + part)
    return tuple(found)


def levels(shares: Sequence[float], most: int) -> list[tuple[int, int, int]]:
    """Runs of columns that are equally full.

    Args:
        shares: How full each column is, 0 to 1.
        most: The level of a full one; what is not empty has a level of at least one.

    Returns:
        First column, number of columns and level of each run that is not empty.
    """
    runs: list[tuple[int, int, int]] = []
    for at, share in enumerate(shares):
        level = 0 if share < 1e-9 else max(1, round(most * min(1.0, share)))
        if runs and runs[-1][2] == level and sum(runs[-1][:2]) == at:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, level)
        elif level:
            runs.append((at, 1, level))
    return runs


def lanes_text(picture: Lanes) -> str:
    """The lanes as rows of block characters; a gap is where a worker was not up."""
    wide = _TEXT_WIDE
    waiting = coverage(picture.waiting, picture.duration_s, wide)
    most = max(waiting)
    heads = [lane.name for lane in picture.lanes] + (["waiting"] if most else [])
    names = max(map(len, heads), default=0)
    rows = []
    if most:
        shares = [number / most if number else None for number in waiting]
        rows.append(f"{'waiting':{names}}  {spark_text(shares)}  at most {most:,.0f}")
    for lane in picture.lanes:
        busy = coverage([(bar.begin, bar.end) for bar in lane.bars], picture.duration_s, wide)
        up = coverage(lane.up, picture.duration_s, wide)
        shares = [
            min(1.0, work / there) if there > 0.05 or work else None
            for work, there in zip(busy, (max(each, 1e-9) for each in up), strict=True)
        ]
        rows.append(f"{lane.name:{names}}  {spark_text(shares)}  {lane.share}".rstrip())
    if picture.left_out:
        rows.append(f"and {picture.left_out:,} more")
    return "\n".join(rows)
