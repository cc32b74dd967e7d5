"""Compares cut runs with other people's, in time, error and circuits.

It must not time a first run, nor a part of a call: whole calls count.
"""
