"""What differs between the configurations of two runs, in words."""

from __future__ import annotations

from typing import Any

__all__ = ["differences", "shown"]

_MOST = 5
_LONGEST = 60
_MISSING = object()


def shown(value: Any) -> str:
    """A value in a few characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def differences(before: Any, now: Any) -> list[str]:
    """What differs between two pieces of plain data: `epochs is 5, was 3`; a few at most.

    Args:
        before: What was noted.
        now: What is asked for.
    """
    found = _differences(before, now, "")
    told = [each for each in found if not each[0].endswith("key")] or [
        (f"the code or an input of {path.removesuffix('.key')} changed", "") for path, _ in found
    ]
    lines = [f"{path}{words}" for path, words in told]
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return [*lines[:_MOST], *more]


def _differences(before: Any, now: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [(k, before.get(k, _MISSING), now.get(k, _MISSING)) for k in {**before, **now}]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(str(k), old, new) for k, (old, new) in enumerate(zip(before, now, strict=True))]
    elif before == now:
        return []
    elif before is _MISSING:
        return [(path, " is new")]
    elif now is _MISSING:
        return [(path, " is gone")]
    else:
        return [(path, f" is {_short(now)}, was {_short(before)}")]
    return [
        each
        for key, old, new in pairs
        for each in _differences(old, new, f"{path}.{key}" if path else key)
    ]


def _short(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
