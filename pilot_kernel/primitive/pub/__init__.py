"""PUBs as data: checked, cut into pieces, packed for workers, joined; their observables.

Must not run anything, nor know what will.
"""
