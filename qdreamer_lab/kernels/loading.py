"""Loading compiled kernels from numba's cache, so that their first call does not have to.

Nothing is compiled here: a kernel that is not in the cache is left for its first call.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["in_cache", "load_kernels", "not_in_cache"]


def load_kernels(room: str) -> Iterator[str]:
    """Load all kernels of a room that the cache holds for this processor, one for every `next`.

    The first one takes some tenths of a second, since numba itself comes up; each of the others
    takes milliseconds.

    Args:
        room: The room's package, such as `qdreamer_lab.kernels.simulate`.

    Yields:
        The name of each kernel that was looked for.
    """
    for name, kernel in _kernels(room):
        _load(kernel)
        yield name


def in_cache(room: str) -> bool:
    """Whether the cache has every kernel of a room that it may hold; nothing is loaded."""
    return not not_in_cache(room)


def not_in_cache(room: str) -> list[str]:
    """Those that it does not have, by their names."""
    files = ((name, getattr(each._cache, "_cache_file", None)) for name, each in _kernels(room))
    return [name for name, file in files if file is not None and not file._load_index()]


def _kernels(room: str) -> Iterator[tuple[str, CPUDispatcher]]:
    package = importlib.import_module(room)
    for found in pkgutil.iter_modules(package.__path__, f"{room}."):
        module = importlib.import_module(found.name)
        for name, value in sorted(vars(module).items()):
            if isinstance(value, CPUDispatcher) and value.py_func.__module__ == found.name:
                yield f"{found.name}.{name}", value


def _load(kernel: CPUDispatcher) -> None:
    """Load a kernel for all types of arguments that the cache has it for.

    This is the first half of numba's own `Dispatcher.compile`; the second half would compile.
    """
    cache, context = kernel._cache, kernel.targetctx
    # A kernel that may not be cached has a cache without a file.
    file = getattr(cache, "_cache_file", None)
    if file is None:
        return
    for signature, *_ in list(file._load_index()):
        with global_compiler_lock:
            if tuple(signature) in kernel.overloads:
                continue
            there = cache.load_overload(signature, context)
            if there is not None:
                context.insert_user_function(there.entry_point, there.fndesc, [there.library])
                kernel.add_overload(there)
