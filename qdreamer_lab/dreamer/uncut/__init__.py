"""What uncut runs will cost: their shapes, counts, cases and probes, with bounds on the bonds.

It must not run more than probes, and knows no other mode.
"""
