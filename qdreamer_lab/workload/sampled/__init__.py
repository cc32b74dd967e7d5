"""Sampled mode: variants of fragments run for shots, values with standard errors.

It must not import another mode.
"""
