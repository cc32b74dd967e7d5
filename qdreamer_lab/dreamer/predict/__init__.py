"""One way to run a circuit: what it will take, and what a run of it teaches.

It must not compare ways.
"""
