"""Benchmarks against peers and against what was aimed at, run from the checkout's root.

They must not be imported by the packages or the tests, and check no correctness of their own.
"""
