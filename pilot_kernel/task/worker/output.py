"""What a task has written, gathered on its worker into few messages."""

__all__ = ["LIMIT", "Gathered"]

LIMIT = 8_000_000
"""Characters of output kept per task; what comes after is counted and dropped."""

_MERGED = 4096  # characters; shorter chunks of one stream become one
_TEXT = ("stdout", "stderr")


class Gathered:
    """The output of one task that was not sent yet."""

    def __init__(self) -> None:
        self._chunks: list[tuple[str, str]] = []
        self._stream = ""
        self._last: list[str] = []  # pieces of the last chunk
        self._last_size = 0
        self._written = 0
        self._dropped = 0

    def add(self, stream: str, text: str) -> None:
        """Take a chunk; what goes beyond the limit is dropped, and anything but text whole."""
        room = max(0, LIMIT - self._written)
        self._written += len(text)
        if len(text) > room:
            kept = text[:room] if stream in _TEXT else ""
            self._dropped += len(text) - len(kept)
            text = kept
        if not text:
            return
        if stream in _TEXT and self._last_size < _MERGED and self._stream == stream:
            self._last.append(text)
            self._last_size += len(text)
            return
        self._close_last()
        self._stream, self._last, self._last_size = stream, [text], len(text)

    def _close_last(self) -> None:
        if self._last:
            self._chunks.append((self._stream, "".join(self._last)))
        self._stream, self._last, self._last_size = "", [], 0

    def take(self) -> list[tuple[str, str]]:
        """Remove and return what came since the last call, as (stream, text)."""
        self._close_last()
        taken, self._chunks = self._chunks, []
        return taken

    def finish(self) -> list[tuple[str, str]]:
        """Remove and return the last of it, with a note if some was dropped."""
        if self._dropped:
            self.add_note(f"\n[{self._dropped:,} characters more were printed and not kept]\n")
        self._dropped = 0
        return self.take()

    def add_note(self, text: str) -> None:
        """Append a line of ours, whatever the limit."""
        self._close_last()
        self._chunks.append(("stderr", text))
