"""What simulating one fragment as state vectors costs, whatever the mode.

It must not know observables, shots or modes.
"""
