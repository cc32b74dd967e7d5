"""The kinds of pilot: one module each, which says what its URL means and what its workers are.

Must not start anything: the agent does that.
"""
