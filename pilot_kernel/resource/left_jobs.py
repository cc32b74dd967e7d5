"""What an agent has in the queues of batch systems: a book on disk, so that others can clear up.

Jobs wait in a queue whether or not anybody is left who wants them. Whoever removes an agent's
folder cancels what stands in its book: the agent, its undertaker, or the next session.
"""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

__all__ = ["Left", "cancel", "clear", "note", "open_book", "read", "user_name"]

_BOOK = "jobs.jsonl"
_PATIENCE_S = 10.0


def note(directory: Path, **entry: str) -> None:
    """Write a line into the book of the agent with that folder.

    Args:
        directory: The agent's folder.
        **entry: `job` with `cancel` (the program that cancels), and `id` once that is known;
            `over`, the name of a job that is gone; or `folder`, one to be removed at the end.
    """
    with open_book(directory) as book:
        book.write(json.dumps(entry) + "\n")


def open_book(directory: Path) -> IO[str]:
    """The book of the agent with that folder, for reading from its beginning and for adding."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    return os.fdopen(os.open(directory / _BOOK, flags, 0o600), "r+")


@dataclass
class Left:
    """What is left of an agent's jobs.

    Attributes:
        jobs: The program that cancels a job, by the job's name.
        ids: The numbers of those jobs, as far as they are known.
        folders: The folders that were made for them elsewhere.
    """

    jobs: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def read(book: IO[str]) -> Left:
    """What stands in a book."""
    left = Left()
    book.seek(0)
    for entry in _entries(book):
        if "folder" in entry:
            left.folders.append(entry["folder"])
        elif "over" in entry:
            left.jobs.pop(entry["over"], None)
            left.ids.pop(entry["over"], None)
        elif "job" in entry and "cancel" in entry:
            left.jobs[entry["job"]] = entry["cancel"]
            if "id" in entry:
                left.ids[entry["job"]] = entry["id"]
    return left


def _entries(book: IO[str]) -> Iterator[dict[str, Any]]:
    for line in book:
        with contextlib.suppress(ValueError):  # whoever wrote it was killed amid the line
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry


def cancel(left: Left) -> None:
    """Cancel jobs, by number and, where the batch system can, by name."""
    for program in set(left.jobs.values()):
        names = [name for name, canceller in left.jobs.items() if canceller == program]
        numbers = [left.ids[name] for name in names if name in left.ids]
        if numbers:
            _call(program.split() + numbers)
        if program == "scancel":  # a job whose number nobody has lived to hear of
            _call([program, f"--user={user_name()}", f"--name={','.join(names)}"])


def user_name() -> str:
    """Whose jobs they are, as batch systems call this user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, say
        return str(os.getuid())


def _call(command: list[str]) -> None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603 the batch system's own program, from our own book
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )


def clear(directory: Path) -> None:
    """Cancel the jobs that stand in an agent's book, if it has one, and remove their folders."""
    if not (directory / _BOOK).exists():
        return
    with open_book(directory) as book:
        left = read(book)
    cancel(left)
    for folder in left.folders:
        shutil.rmtree(folder, ignore_errors=True)
