"""Compares what Q-Dreamer predicts with runs that were measured.

It must not test on the circuits that were fitted to.
"""
