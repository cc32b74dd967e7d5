"""The kinds of pilot: one module each, which says what its URL means and what its workers are.

It must not start anything: the agent does that.
"""
