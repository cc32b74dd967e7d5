"""The portrait of a machine: all motifs over sizes and workers, what their time went to, scaling.

It runs motifs and sets their reports side by side; it must not measure in any way of its own.
"""
