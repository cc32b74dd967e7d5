"""What exact mode will cost: its shapes, counts, cases and probes.

It must not run more than probes, and knows no other mode.
"""
