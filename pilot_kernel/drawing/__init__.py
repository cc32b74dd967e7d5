"""Results and states as plain data, then as HTML and as text: pure functions for every front end.

It must not import IPython, ask an agent for anything, or keep anything up to date.
"""
