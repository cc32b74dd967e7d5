"""What a device will take, in time and money, from its own durations and its owner's terms.

It must not run anything on it.
"""
