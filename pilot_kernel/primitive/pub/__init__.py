"""PUBs as data: checked, cut into pieces, packed for workers, joined; their observables.

It must not run anything, nor know what will.
"""
