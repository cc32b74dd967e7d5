"""The one numba decorator that every kernel uses; nothing else belongs here.

Numba's own decorators carry no types. Wrapping them once keeps the kernels' signatures visible to
the type checker, and guarantees that every kernel caches its machine code and releases the GIL.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def jit(function: Kernel) -> Kernel:
    """Compile `function` on first use, cache it on disk and release the GIL while it runs."""
    return cast("Kernel", numba.njit(cache=True, nogil=True)(function))
