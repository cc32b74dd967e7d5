"""The sweep over pieces: in which order, with which frontier, and the beam of partial plans.

It must not decide how wide the beam is, and draws no random numbers.
"""
