"""Which way to run is best, and whether to change it on the way, with the reasons in words.

It must not price anything itself: the engine does.
"""
