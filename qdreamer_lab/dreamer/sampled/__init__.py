"""What sampled mode will cost: its shapes, counts, cases and probes, and how many shots it takes.

It must not run more than probes, and knows no other mode.
"""
