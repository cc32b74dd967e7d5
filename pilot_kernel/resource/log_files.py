"""The log files of an agent and its workers, wherever they lie; the ends of them are enough.

The agent writes `agent.log` in its folder. Workers, and what brings them up elsewhere, write into
the folder `logs` there; those of batch jobs with a working directory into one of theirs.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["AGENT", "append_here", "folder_of", "gather", "worker_log"]

AGENT = "agent"
"""What the agent's own log is called."""

_TAIL_BYTES = 32_000
_ONE_TAIL_BYTES = 1_000_000  # if one is asked for
_MOST_BYTES = 4_000_000
_MOST_FILES = 1_000
_SECRET = re.compile(  # a whole one, or one whose beginning or end is cut off
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\A((?!-----BEGIN).)*?-----END [A-Z ]*PRIVATE KEY-----",
    re.DOTALL,
)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def folder_of(directory: Path) -> Path:
    """The folder for the logs of an agent's workers.

    Args:
        directory: The agent's folder.
    """
    return directory / "logs"


def worker_log(folder: str | Path, worker: str) -> Path:
    """The log file of a worker."""
    return Path(folder, f"{_NOT_IN_NAMES.sub('_', worker)}.log")


def append_here(path: Path) -> None:
    """Have this process, and what it starts, write into a log file from now on."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    with contextlib.suppress(OSError):  # then it goes on as it did
        descriptor = os.open(path, flags, 0o600)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        os.close(descriptor)


def gather(
    directory: Path, others: Iterable[str | Path] = (), name: str | None = None
) -> list[dict[str, Any]]:
    """The ends of all log files, as plain dicts: of whom, where, how long, what.

    Args:
        directory: The agent's folder.
        others: Folders in which pilots keep a folder for this agent's jobs.
        name: Only the logs whose names are this, or begin with it and a dash: those of a worker,
            or of a pilot's workers.
    """
    found = {AGENT: directory / "agent.log"}
    jobs = (Path(other, f"pilot-{directory.name}") for other in others)
    for folder in map(folder_of, (directory, *jobs)):
        for path in sorted(folder.glob("*"), key=_in_order):
            called = path.stem if path.suffix == ".log" else path.name
            found.setdefault(called if called not in found else str(path), path)
    chosen = {of: path for of, path in found.items() if name is None or _is_of(of, name)}
    most = _ONE_TAIL_BYTES if len(chosen) == 1 else _TAIL_BYTES
    most = max(2_000, min(most, _MOST_BYTES // max(1, len(chosen))))
    tails = [_tail(of, path, most) for of, path in list(chosen.items())[:_MOST_FILES]]
    return [tail for tail in tails if tail is not None]


def _is_of(log: str, name: str) -> bool:
    return log == name or log.startswith(f"{name}-")


def _in_order(path: Path) -> tuple[tuple[int, str], ...]:
    """So that worker 10 comes after worker 9."""
    words = re.split(r"(\d+)", path.name)
    return tuple((int(word), "") if word.isdecimal() else (-1, word) for word in words)


def _tail(of: str, path: Path, most: int) -> dict[str, Any] | None:
    """The end of a file; None if it is none: not a link, nor a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        size = os.lseek(descriptor, 0, os.SEEK_END)
        told = os.pread(descriptor, most, max(0, size - most)).decode(errors="replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if size > most:
        told = told.partition("\n")[2]  # the first line is cut
    text = _SECRET.sub("[a private key was here]", told)
    return {"name": of, "path": str(path), "bytes": size, "text": text}
