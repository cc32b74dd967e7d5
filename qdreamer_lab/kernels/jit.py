"""The one way kernels are compiled: cached on disk, without the GIL, and typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

from qdreamer_lab.kernels.cache_files import use_own_files

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fused_kernel", "kernel"]

F = TypeVar("F", bound="Callable[..., Any]")


def kernel(function: F) -> F:
    """Compile a function over arrays and scalars with numba on its first call."""
    return cast("F", _kept(njit(cache=True, nogil=True)(function)))


def fused_kernel(function: F) -> F:
    """`kernel`, for sums of products whose order is free: results may differ by rounding.

    Multiplications and additions are fused and reordered, so that they run on whole registers. NaN
    and infinity keep their meaning.
    """
    free = {"contract", "reassoc", "nsz", "arcp"}
    return cast("F", _kept(njit(cache=True, nogil=True, fastmath=free)(function)))


def _kept(compiled: Any) -> Any:
    use_own_files(compiled)
    return compiled
