"""Plans: where a circuit is cut, found, saved, and fitted to what is run.

It must not know how fragments are run.
"""
