"""The one way kernels are compiled: cached on disk, without the GIL, and typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit, types
from numba.core.registry import CPUDispatcher

from qdreamer_lab.kernels.cache_files import use_own_files

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fused_kernel", "kernel"]

F = TypeVar("F", bound="Callable[..., Any]")


class KernelDispatcher(CPUDispatcher):  # type: ignore[misc]
    """Numba's own, which compiles a kernel once where numba would do so for each constant, too.

    Numba takes the 0 in `extend_all(0, ...)`, or the first value of a counter that such a call is
    given in a loop, for a type of its own, and compiles all that is called for it: a tenth of all
    compiling, and most of what came of it was never called.
    """

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What a call from another kernel leads to; integers there are just integers."""
        args = tuple(types.unliteral(kind) for kind in args)
        return super().get_call_template(
            args, {name: types.unliteral(kind) for name, kind in kws.items()}
        )


def kernel(function: F) -> F:
    """Compile a function over arrays and scalars with numba on its first call."""
    return cast("F", _compiled(function))


def fused_kernel(function: F) -> F:
    """`kernel`, for sums of products whose order is free: results may differ by rounding.

    Multiplications and additions are fused and reordered, so that they run on whole registers. NaN
    and infinity keep their meaning.
    """
    return cast("F", _compiled(function, fastmath={"contract", "reassoc", "nsz", "arcp"}))


def _compiled(function: Any, **options: Any) -> Any:
    # Nobody takes a kernel's address, so that no entry for C is made.
    compiled = njit(cache=True, nogil=True, no_cfunc_wrapper=True, **options)(function)
    if isinstance(compiled, CPUDispatcher):  # and not where nothing is compiled at all
        compiled.__class__ = KernelDispatcher
    use_own_files(compiled)
    return compiled
