"""One circuit becomes a plan, fragments, tasks and a value.

It must not predict what that takes, and it knows no widgets.
"""
