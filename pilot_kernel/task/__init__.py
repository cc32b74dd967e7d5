"""Tasks: one call of a function each, bound to a worker as late as possible.

It must not know what the functions compute, and starts no pilots.
"""
