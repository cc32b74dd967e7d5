"""The one way kernels are compiled: cached on disk, without the GIL, and typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kernel"]

F = TypeVar("F", bound="Callable[..., Any]")


def kernel(function: F) -> F:
    """Compile a function over arrays and scalars with numba on its first call."""
    return cast("F", njit(cache=True, nogil=True)(function))
