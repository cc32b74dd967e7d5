"""The undertaker: a process that outlives a killed agent by some seconds and cancels its jobs.

The agent starts one with its first batch job. It waits until its standard input is closed, and so
until the agent has ended, however that was; then it cancels what still stands in the agent's book.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pilot_kernel.resource import left_jobs

__all__ = ["start"]

_ROUNDS = 4  # a submission under way when the agent died may still come through
_PAUSE_S = 2.0


def start(directory: Path) -> "subprocess.Popen[bytes]":
    """Start the undertaker of the agent with that folder; the agent holds on to what it gets.

    It is in a session of its own, so that a signal to the agent's group does not reach it.
    """
    # The book is handed over open: the next session may remove the folder at any moment.
    with left_jobs.open_book(directory) as book:
        descriptor = book.fileno()
        return subprocess.Popen(  # noqa: S603 our own module, our own interpreter
            [sys.executable, "-m", "pilot_kernel.resource.batch.undertaker", str(descriptor)],
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
            start_new_session=True,
        )


def main() -> None:
    """Wait for the agent's end, and clear up."""
    with os.fdopen(int(sys.argv[1]), "r+") as book:
        sys.stdin.buffer.read()
        for _ in range(_ROUNDS):
            left = left_jobs.read(book)
            if not left.jobs:
                break
            left_jobs.cancel(left)
            time.sleep(_PAUSE_S)
        for folder in left_jobs.read(book).folders:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
