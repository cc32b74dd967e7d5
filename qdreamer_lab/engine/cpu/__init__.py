"""Passes and Gram matrices on the cores of this machine, shared out among threads.

It must not decide what is computed, and must not start a process.
"""
