"""Tables and bars as text, for terminals."""

from collections.abc import Sequence

__all__ = ["bar", "table_text"]

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WIDTH = 32


def bar(share: float, width: int = _WIDTH) -> str:
    """A bar that fills a share (0 to 1) of `width` characters."""
    eighths = max(1, round(8 * width * share)) if share > 0 else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


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
