"""A tiny random number generator that gives the same stream compiled and uncompiled.

It is the 48-bit linear congruential generator of POSIX `drand48`: plenty for choosing moves, not
for statistics. State is a plain integer that the caller keeps.
"""

from qdreamer_lab.kernels.jit import kernel

MASK = (1 << 48) - 1


@kernel
def advance(state: int) -> int:
    """Return the next 48-bit state."""
    return (state * 0x5DEECE66D + 0xB) & MASK


@kernel
def below(state: int, bound: int) -> int:
    """Return an integer in [0, bound) read off `state`; `bound` is small beside 2^31.

    A remainder, because numba 0.68 compiles `(bits * bound) >> 31` wrongly where it can see that
    `bound` is a power of two.
    """
    return (state >> 17) % bound


@kernel
def unit(state: int) -> float:
    """Return a float in [0, 1) read off `state`."""
    return (state >> 17) / 2147483648.0
