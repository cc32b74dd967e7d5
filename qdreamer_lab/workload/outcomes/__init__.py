"""Distributions of measured circuits that are cut: probabilities, heavy outcomes, samples.

It must not decide where circuits are cut, nor how a fragment is simulated.
"""
