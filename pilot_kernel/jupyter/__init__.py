"""The front door: what a notebook sees of the pilot.

It is the only floor that touches IPython; nothing below may depend on it.
"""
