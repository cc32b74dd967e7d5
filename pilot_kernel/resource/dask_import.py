"""Dask is imported by one thread at a time.

Its modules import each other in circles. Python keeps threads that import parts of such a circle
from waiting for each other for ever by showing one of them a module that is half made, which then
fails on a name that is not there yet. In a notebook the engine is imported in the background, and
whatever else needs Dask before that is done has to wait its turn.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["alone"]

_turn = threading.RLock()


@contextmanager
def alone() -> Iterator[None]:
    """Be the only thread that imports Dask, or what imports it, for as long as this lasts.

    A thread that has its turn may ask for it again. It must not wait for another thread meanwhile.
    """
    with _turn:
        yield
