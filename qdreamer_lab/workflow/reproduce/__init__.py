"""The reference group's published figures beside ours, with what differs between the two.

It runs motifs and counts tasks; it must not adjust either figure to make them comparable.
"""
