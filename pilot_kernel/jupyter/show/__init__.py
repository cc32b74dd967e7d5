"""What is seen of sessions, pilots, tasks and results in a notebook, and what keeps it up to date.

It must not change what it shows: nothing is submitted, canceled or stopped here.
"""
