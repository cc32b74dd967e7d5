"""What a machine can do: profiles that are measured, kept on disk, and refined.

It must not price or rank runs.
"""
