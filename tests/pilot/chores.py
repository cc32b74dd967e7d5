"""Tasks of all kinds that say in a file when they begin and end, and whether they ended right."""

import concurrent.futures
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pilot_kernel.errors import WorkerDiedError
from pilot_kernel.task.notebook.handle import Task

LARGE = 50_000  # float64, so 400 kB: more than travels with the news


def note(log: str, number: int, what: str) -> None:
    """Append a line; one write, so that lines of many processes do not mix."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(descriptor, f"{number} {what} {os.getpid()} {time.time():.3f}\n".encode())
    finally:
        os.close(descriptor)


def quick(log: str, number: int) -> int:
    note(log, number, "begin")
    note(log, number, "end")
    return number


def sleeper(log: str, number: int, seconds: float) -> int:
    note(log, number, "begin")
    time.sleep(seconds)
    note(log, number, "end")
    return number


def large(log: str, number: int) -> np.ndarray:
    note(log, number, "begin")
    value = np.full(LARGE, float(number))
    note(log, number, "end")
    return value


def joined(log: str, number: int, part: np.ndarray) -> float:
    note(log, number, "begin")
    total = float(part.sum())
    note(log, number, "end")
    return total


def raises(log: str, number: int) -> None:
    note(log, number, "begin")
    raise ValueError(f"number {number}")


def crashes(log: str, number: int) -> None:
    note(log, number, "begin")
    os._exit(3)


@dataclass(frozen=True)
class Chore:
    """A task that was submitted, and what it should come to."""

    number: int
    kind: str
    task: Task
    parts: tuple[Task, ...] = ()

    def wrong(self, killed: set[int], log: Path) -> str | None:
        """What is wrong with how it ended; None if nothing is.

        Args:
            killed: Task processes that were killed from outside.
            log: Where tasks say that they begin, and in which process. One whose process was
                killed twice is given up, and rightly so.
        """
        try:
            value = self.task.result(0)
        except WorkerDiedError as error:
            deaths = sum(pid in killed for pid in begun_in(log).get(self.number, []))
            given_up = deaths >= 2 or (self.kind == "joined" and "part" in str(error))
            return None if self.kind == "crashes" or given_up else f"{error} ({deaths} kills)"
        except ValueError as error:
            return None if str(error) == f"number {self.number}" else repr(error)
        except concurrent.futures.CancelledError:
            return None if self.kind == "canceled" else "canceled"
        except BaseException as error:  # noqa: BLE001 whatever it is, it is reported
            return repr(error)
        return None if self._right(value) else f"value {value!r:.80}"

    def _right(self, value: Any) -> bool:
        if self.kind in ("quick", "sleeper", "canceled"):
            return bool(value == self.number)
        if self.kind == "large":
            return value.shape == (LARGE,) and bool((value == self.number).all())
        if self.kind == "joined":
            return bool(value == -LARGE * float(self.number))
        if self.kind == "device":
            counts = dict(value[0].data.meas.get_counts())
            return sum(counts.values()) == 200 and counts.get("111", 0) > 120
        if self.kind == "quantum":
            return dict(value[0].data.meas.get_counts()) == {"111": 200}
        return False


def begun_in(log: Path) -> dict[int, list[int]]:
    """For each number the processes that it was begun in."""
    found: dict[int, list[int]] = {}
    for number, what, process, _ in map(str.split, log.read_text().splitlines()):
        if what == "begin":
            found.setdefault(int(number), []).append(int(process))
    return found


def begun_after_done(log: Path) -> list[int]:
    """The numbers that were begun once more after the notebook had heard that they were done."""
    done: set[int] = set()
    again = []
    for number, what, *_ in map(str.split, log.read_text().splitlines()):
        if what == "done":
            done.add(int(number))
        elif what == "begin" and int(number) in done:
            again.append(int(number))
    return again
