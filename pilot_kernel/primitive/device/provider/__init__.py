"""The primitives that providers of QPUs have of their own, and the jobs that are sent through them.

It must not know tasks' pieces or what is done with shots, and it never calls a backend's `run`.
"""
