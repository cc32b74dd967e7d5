"""What simulators run: gates on state vectors, Pauli sums, counts of shots, bounds on bonds.

They must not know cuts, fragments or plans.
"""
