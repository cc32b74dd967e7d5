"""The line of a magic as arguments, with one error for whatever is wrong with it."""

import re
from difflib import get_close_matches
from inspect import signature
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import parse_argstring

__all__ = ["parsed_line"]


def parsed_line(magic: Any, line: str) -> Any:
    """What `line` says, as the magic's arguments.

    Args:
        magic: The magic, which has declared its arguments.
        line: What was typed behind it.

    Returns:
        The arguments, by name.

    Raises:
        UsageError: It cannot be taken apart into words, or these are not what the magic takes.
    """
    try:
        return parse_argstring(magic, line)
    except UsageError as error:
        raise UsageError(f"{error}{_hint(magic, str(error))}") from None
    except ValueError as error:  # of shlex, which says "No closing quotation"
        raise UsageError(f"{line.strip()}: {str(error).lower()}") from None


def _hint(magic: Any, said: str) -> str:
    """Which option may have been meant, and where all of them are told; empty for other faults."""
    if "unrecognized" not in said and "ambiguous" not in said:
        return ""
    name = f"{'%%' if 'cell' in signature(magic).parameters else '%'}{magic.__name__}"
    known = list(magic.parser._option_string_actions)
    wrong = re.findall(r"--?[\w-]+", said)[:1]
    close = get_close_matches(wrong[0], known, 1, 0.7) if wrong else []
    meant = f"; did you mean {close[0]}?" if close else "."
    return f"{meant} {name}? lists what it takes"
