"""What uncut runs will cost: bond dimensions bounded, counts, cases and probes.

It must not simulate outside probes.
"""
