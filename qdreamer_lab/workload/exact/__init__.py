"""Exact mode: fragments simulated as state vectors, values without error bars.

It must not take shots, and no other mode imports it.
"""
