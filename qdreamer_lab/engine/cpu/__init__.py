"""Work on several cores of this machine.

It must not decide what is computed, and must not start a process.
"""
