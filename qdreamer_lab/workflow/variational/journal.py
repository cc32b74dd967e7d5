"""What evaluations gave, in a file: a run that was killed goes on where it was.

SciPy's optimisers cannot be stopped and continued. But they are functions of what they were told:
begun anew and told the same, they go the same way, in no time. So each evaluation is written down
before the optimiser hears of it, and answered from the file the next time. Numbers are kept to the
last bit.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import MotifError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["Answered", "Journal"]

_FORM = "qdreamer-lab variational journal 1"

_HEAD = f'{{"form": {json.dumps(_FORM)}'.encode()
"""How a journal begins."""

Answered = tuple[float, "NDArray[np.float64] | None"]
"""A value, and the gradient if it was asked for."""


class Journal:
    """Evaluations by start and number; several threads may use it at once.

    Args:
        path: The file, which need not be there; None keeps nothing.
        configuration: What the run depends on, as plain data by name.

    Attributes:
        reused: How many evaluations were answered from the file.

    Raises:
        MotifError: The file is of a run with another configuration (named), is used by another
            run, or is no journal.
    """

    def __init__(self, path: Path | None, configuration: Mapping[str, Any]) -> None:
        self.reused = 0
        self._known: dict[tuple[int, int], dict[str, Any]] = {}
        self._writing = threading.Lock()
        self._file: int | None = None
        if path is None:
            return
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise MotifError(f"checkpoint={path}: {error.strerror}") from error
        try:
            self._take_up(path, json.loads(json.dumps(dict(configuration))))
        except BaseException:
            self.close()
            raise

    def _take_up(self, path: Path, configuration: dict[str, Any]) -> None:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MotifError(f"checkpoint={path}: another run is using it now") from None
        text = path.read_bytes()
        # Whatever else it is stays as it is.
        if not (text.startswith(_HEAD) or _HEAD.startswith(text)):
            raise MotifError(f"checkpoint={path}: this file is no journal of this app")
        whole = text[: text.rfind(b"\n") + 1]  # a line that was being written is not there
        os.ftruncate(self._file, len(whole))
        os.lseek(self._file, 0, os.SEEK_END)
        lines = whole.splitlines()
        if not lines:
            self._write({"form": _FORM, "configuration": configuration})
            return
        entries = [_entry(path, number, line) for number, line in enumerate(lines, 1)]
        _check_same(path, entries[0].get("configuration", {}), configuration)
        for number, entry in enumerate(entries[1:], 2):
            try:
                self._known[entry["start"], entry["number"]] = entry
            except KeyError:
                raise MotifError(f"checkpoint={path}: line {number} is damaged") from None

    def recall(self, start: int, number: int, x: NDArray[np.float64]) -> Answered | None:
        """What an evaluation gave, if it was made before.

        Raises:
            MotifError: It was made somewhere else: the optimiser goes another way.
        """
        entry = self._known.get((start, number))
        if entry is None:
            return None
        if entry["x"] != x.tolist():
            raise MotifError(
                f"the journal does not fit: in evaluation {number} of start {start} the optimiser "
                "asks for another point than the run that was stopped. Is this another version of "
                "SciPy or NumPy? Begin anew with another checkpoint file"
            )
        with self._writing:
            self.reused += 1
        gradient = entry["gradient"]
        return entry["value"], None if gradient is None else np.array(gradient)

    def note(self, start: int, number: int, x: NDArray[np.float64], answered: Answered) -> None:
        """Write an evaluation down; a process that is killed afterwards has made it."""
        if self._file is None:
            return
        value, gradient = answered
        entry = {
            "start": start,
            "number": number,
            "x": x.tolist(),
            "value": value,
            "gradient": None if gradient is None else gradient.tolist(),
        }
        with self._writing:
            self._write(entry)

    def _write(self, entry: Mapping[str, Any]) -> None:
        assert self._file is not None
        line = memoryview((json.dumps(entry) + "\n").encode())
        while line:
            line = line[os.write(self._file, line) :]

    def close(self) -> None:
        """Leave the file to others."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _entry(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MotifError(
            f"checkpoint={path}: line {number} is damaged, or this is no journal of this app"
        )
    return found


def _check_same(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse to go on with something else."""
    differ = [
        f"{name} was {old.get(name)} and is {new.get(name)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    if differ:
        raise MotifError(
            f"checkpoint={path} is of a run with another configuration: {'; '.join(differ)}. Run "
            "with what it was, or begin anew with another file"
        )
