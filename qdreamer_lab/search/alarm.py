"""A flag that goes up when time is out, so that kernels can stop in the middle of their work.

Kernels know no clock, but run without the GIL: a thread raises the flag, and they look at it. It
must not decide what happens then.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["alarm"]


@contextmanager
def alarm(deadline: float) -> Iterator[NDArray[np.int64]]:
    """Hold a flag (1,) that is 0 until `deadline` (perf_counter), and 1 from then on."""
    flag = np.zeros(1, np.int64)
    left = deadline - time.perf_counter()
    if left <= 0:
        flag[0] = 1
        yield flag
        return
    timer = threading.Timer(min(left, threading.TIMEOUT_MAX), flag.fill, (1,))
    timer.daemon = True
    timer.start()
    try:
        yield flag
    finally:
        timer.cancel()
        timer.join()
