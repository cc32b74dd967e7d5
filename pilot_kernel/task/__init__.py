"""Tasks: one call of a function each, bound to a worker as late as possible.

Must not know what the functions compute, and starts no pilots.
"""
