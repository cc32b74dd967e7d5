"""Parameters of a motif as text: `key=value`, read by the type of the field."""

from __future__ import annotations

import types
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from qdreamer_lab.errors import MotifError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_settings", "setting_text"]

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NAMES: dict[Any, str] = {int: "a whole number", float: "a number", str: "a word"}


def read_settings(kind: type, texts: Iterable[str]) -> dict[str, Any]:
    """Values by their fields.

    Args:
        kind: A dataclass, whose fields are numbers, words, truths, or tuples of one of these
            written with commas; `none` stands for None where that is allowed.
        texts: Each `key=value`.

    Raises:
        MotifError: A key is none of its fields, or a value is not what the field takes.
    """
    hints = get_type_hints(kind)
    known = {each.name: hints[each.name] for each in fields(kind)}
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip().replace("-", "_")
        if not equals:
            raise MotifError(f"--set {text}: write it as key=value")
        if key not in known:
            raise MotifError(f"--set {text}: there is no {key!r}; keys are {', '.join(known)}")
        try:
            found[key] = _read(known[key], value.strip())
        except ValueError as error:
            raise MotifError(f"--set {text}: {key} is {error}") from None
    return found


def _read(hint: Any, text: str) -> Any:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if type(None) in options:
        if text.lower() == "none":
            return None
        (hint,) = (option for option in options if option is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], part.strip()) for part in text.split(",") if part)
    if hint is bool:
        if text.lower() not in _TRUTHS:
            raise ValueError("yes or no")
        return _TRUTHS[text.lower()]
    try:
        return hint(text)
    except ValueError:
        raise ValueError(f"{_NAMES.get(hint, 'something else')}, not {text!r}") from None


def setting_text(value: Any) -> str:
    """A value as `--set` would take it."""
    if isinstance(value, (tuple, list)):
        return ",".join(map(setting_text, value))
    return (
        {None: "none", True: "yes", False: "no"}.get(value, str(value))
        if (value is None or isinstance(value, bool))
        else str(value)
    )
