"""Lines of text from several sources, each beginning with the mark of its own."""

__all__ = ["MarkedLines"]


class MarkedLines:
    """Cuts the text of one source into whole lines that begin with its mark.

    Args:
        mark: What a line begins with, such as `[rank 2] `.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._rest = ""

    @property
    def unfinished(self) -> bool:
        """Whether a line was begun and not finished."""
        return bool(self._rest)

    def add(self, text: str) -> str:
        """Take text; return the lines that are whole by now."""
        whole, newline, rest = text.rpartition("\n")
        if not newline:
            self._rest += text
            return ""
        lines = (self._rest + whole).split("\n")
        self._rest = rest
        return "".join(f"{self._mark}{line}\n" for line in lines)

    def finish(self) -> str:
        """The line that was begun, if one was, ended here."""
        rest, self._rest = self._rest, ""
        return f"{self._mark}{rest}\n" if rest else ""
