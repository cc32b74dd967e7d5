"""The notebook's side of a task: its handle, its inputs, and where it may run.

It must not know how workers run it.
"""
