"""Plans as users have them: found, saved, drawn, and checked against the circuit that is run.

It must not know how fragments are run.
"""
