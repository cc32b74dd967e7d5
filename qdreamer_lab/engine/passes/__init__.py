"""Planning passes: which steps are done together while a part of the states is in the cache.

Nothing may run here, and no machine be looked at.
"""
