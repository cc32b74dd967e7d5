"""Sets of moments as sorted spans that do not touch: union, intersection, length."""

from collections.abc import Iterable

__all__ = ["Span", "Spans", "clipped", "common", "length", "union", "without"]

Span = tuple[float, float]
"""From when to when, unix seconds."""

Spans = tuple[Span, ...]


def union(spans: Iterable[Span]) -> Spans:
    """All moments that lie in at least one of the spans."""
    merged: list[Span] = []
    for begin, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and begin <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return tuple(merged)


def common(one: Spans, other: Spans) -> Spans:
    """All moments that lie in both sets."""
    found: list[Span] = []
    at = to = 0
    while at < len(one) and to < len(other):
        begin, end = max(one[at][0], other[to][0]), min(one[at][1], other[to][1])
        if end > begin:
            found.append((begin, end))
        if one[at][1] < other[to][1]:
            at += 1
        else:
            to += 1
    return tuple(found)


def without(one: Spans, other: Spans) -> Spans:
    """All moments of one set that do not lie in another."""
    found: list[Span] = []
    rest = iter(other)
    hole = next(rest, None)
    for begin, end in one:
        at = begin
        while hole is not None and hole[0] < end:
            if hole[0] > at:
                found.append((at, hole[0]))
            at = max(at, hole[1])
            if hole[1] > end:
                break
            hole = next(rest, None)
        if at < end:
            found.append((at, end))
    return tuple(found)


def clipped(spans: Spans, begin: float, end: float) -> Spans:
    """The moments of a set between two times."""
    return common(spans, ((begin, end),)) if end > begin else ()


def length(spans: Spans) -> float:
    """How long a set is, in seconds."""
    return sum(end - begin for begin, end in spans)
