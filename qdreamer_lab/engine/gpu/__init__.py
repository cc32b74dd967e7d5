"""Simulation on a GPU through CuPy: the same steps and operators as on a CPU, states stay there.

It must not fall back to a CPU, nor import CuPy before a GPU is asked for.
"""
