"""What the Tab key offers behind `%%qtask` and `%%ctask`: their options, and values of these."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pilot_kernel.errors import PilotError

__all__ = ["completer"]

_KINDS = ("cpu", "gpu", "qpu")

_PLACES = frozenset({"on", "fallback"})
"""Options whose values are kinds of workers and names of pilots."""


def completer(
    magic: Any, pilots: Callable[[], Sequence[str]], words: Mapping[str, Sequence[str]]
) -> Callable[[Any, Any], list[str]]:
    """A hook of IPython's for the line of a magic.

    Args:
        magic: The magic, which has declared its arguments.
        pilots: The names of the session's pilots.
        words: By the names of options that take several words with commas, these.
    """

    def complete(_: Any, event: Any) -> list[str]:
        typed = event.line.split()
        if event.line[-1:].isspace():
            typed.append("")
        if len(typed) < 2:
            return []
        options = {
            text: action for action in magic.parser._actions for text in action.option_strings
        }
        before = options.get(typed[-2])
        if before is None or before.nargs == 0:
            return sorted(text for text in options if text.startswith("--"))
        known = list(before.choices or words.get(before.dest, ()))
        if before.dest in _PLACES:
            known = list(_KINDS)
            with contextlib.suppress(PilotError):  # the session may be lost by now
                known += pilots()
        return known  # behind a comma, too, where IPython begins anew

    return complete
