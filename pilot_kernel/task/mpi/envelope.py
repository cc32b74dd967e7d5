"""Files by which a task and its ranks talk: a line of JSON, then parts of bytes."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilot_kernel.task.wire.packing import Bytes

__all__ = ["ANSWER", "CALL", "STRANGERS", "read", "read_head", "write"]

CALL = "call"
"""The file with what ranks are to call."""

ANSWER = "answer"
"""What the names of the files with answers begin with; a dot and the rank follow."""

STRANGERS = "A"
"""The kind of answer of a rank that does not find the others."""


def write(path: Path, head: dict[str, Any], parts: Sequence[Bytes] = ()) -> None:
    """Write a file, which appears whole."""
    draft = path.with_name(f"{path.name}.draft")
    sizes = [memoryview(part).nbytes for part in parts]
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps({**head, "sizes": sizes}).encode() + b"\n")
        for part in parts:
            file.write(part)
    draft.rename(path)


def read_head(path: Path) -> dict[str, Any]:
    """The first line of a file."""
    with path.open("rb") as file:
        head: dict[str, Any] = json.loads(file.readline())
    return head


def read(path: Path) -> tuple[dict[str, Any], list[Bytes]]:
    """The first line of a file, and its parts: such that arrays made of them can be written to."""
    with path.open("rb") as file:
        head: dict[str, Any] = json.loads(file.readline())
        parts: list[Bytes] = [bytearray(size) for size in head["sizes"]]
        for part in parts:
            if file.readinto(part) != len(part):
                raise EOFError(f"{path} is cut short")
    return head, parts
