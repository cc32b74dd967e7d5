"""Compiled loops (numba): arrays and scalars in, arrays and scalars out.

They must not check their arguments, hold state, or know Python objects.
"""
