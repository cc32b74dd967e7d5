"""Passes over states and sums over them on a GPU, by CuPy and the kernels of `kernels.cu`.

It must not fall back to a CPU, nor import CuPy before a GPU is asked for.
"""
