"""What simulating one fragment as state vectors amounts to, whatever the mode.

It must not know observables, shots or modes.
"""
