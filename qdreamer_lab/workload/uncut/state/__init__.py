"""Whole circuits as state vectors, for the pilot's primitives: one fragment with nothing cut.

It must not know PUBs, sessions or plans, nor import anything heavy before it takes a circuit.
"""
