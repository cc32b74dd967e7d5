"""The line of a magic as arguments, with one error for whatever is wrong with it."""

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
    except ValueError as error:  # of shlex, which says "No closing quotation"
        raise UsageError(f"{line.strip()}: {str(error).lower()}") from None
