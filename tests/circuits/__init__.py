"""Circuits for tests: families of a given size, random ones by their seed, and ones easily misread.

Builds and says what is true of them densely, and must not use what is tested.
"""
