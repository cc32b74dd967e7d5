"""Calls in a process of their own, for native code of others that may end the one it runs in.

It waits for the answer; what is called must be a function of a module, and it and its arguments
must be picklable. Work for pilots does not come here: their workers are such processes.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from qdreamer_lab.errors import QDreamerError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["guarded"]

_CHILD = """
import pickle, sys
answers, sys.stdout = sys.stdout.buffer, sys.stderr
function, arguments = pickle.load(sys.stdin.buffer)
answers.write(pickle.dumps(function(*arguments)))
"""
_LINES = 3
"""Last lines of what a child said, which tell why it gave up."""


def guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own.

    Raises:
        QDreamerError: If it raises an error, or its process ends; it says how.
    """
    done = subprocess.run(  # noqa: S603  # a constant program, and what the caller pickles
        [sys.executable, "-c", _CHILD], input=pickle.dumps((function, arguments)),
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return pickle.loads(done.stdout)  # noqa: S301  # our own child's
    name = f"{function.__module__}.{function.__qualname__}"
    if done.returncode < 0:
        how = f"crashed in native code ({signal.Signals(-done.returncode).name})"
        raise QDreamerError(f"{name} {how}; it ran in a process of its own, nothing else is lost")
    said = done.stderr.decode(errors="replace").strip().splitlines()[-_LINES:]
    raise QDreamerError(f"{name} failed: " + " / ".join(said))
