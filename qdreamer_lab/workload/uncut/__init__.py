"""Whole circuits by methods that need no cut: matrix product states and stabilizers.

It must not cut, and takes no shots.
"""
