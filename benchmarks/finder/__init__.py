"""Compares the cut finder with other people's, in cost and in time.

Its scorer and its peers must not import `qdreamer_lab`: they judge it.
"""
