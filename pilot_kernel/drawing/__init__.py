"""Draws results, tables and states as HTML and as text: pure functions, also used by Q-Dreamer.

It must not import IPython, ask an agent for anything, or keep anything up to date.
"""
