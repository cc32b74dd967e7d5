"""Checkers for the exercises of the course in `notebooks/`, a module for each notebook.

They go by what an answer does, found by dense simulation, and never by how it is written.
"""
