"""What becomes of a cell: it is read, sent with the variables it needs, and followed as a task.

It must not draw or print anything, nor know of the magics.
"""
