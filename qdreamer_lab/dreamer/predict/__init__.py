"""One way to run a circuit: what is asked, where, and what it will take.

It must not compare ways.
"""
