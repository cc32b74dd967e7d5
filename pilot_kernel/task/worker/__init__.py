"""A worker's side of a task: the plugin that has it run in a task process, and watches over it.

It must not run a user's code, which only task processes do.
"""
