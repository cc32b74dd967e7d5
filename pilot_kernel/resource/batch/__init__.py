"""Batch jobs that bring up workers: their scripts, their lives in the queue, what runs on a node.

It must not know of kinds of pilot, nor of the agent; both are above it.
"""
