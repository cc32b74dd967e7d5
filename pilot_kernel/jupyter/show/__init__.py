"""What a notebook shows of sessions, pilots, tasks and results, kept up to date.

It must not change what it shows: nothing is submitted, canceled or stopped here.
"""
