"""What a notebook or a script holds: pilots are added to a session, tasks are submitted to it.

It must not import IPython, nor anything heavy before it is needed.
"""
