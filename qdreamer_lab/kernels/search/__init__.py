"""Searches for cheap labels: annealing, exhaustive search, and graph partitioning.

They must not decide how long to search: the caller sets moves, nodes and passes.
"""
