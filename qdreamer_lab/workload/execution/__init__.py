"""How work gets done: chunks become tasks of a session, paced, watched, limited and reported.

It must not know plans, observables or modes.
"""
