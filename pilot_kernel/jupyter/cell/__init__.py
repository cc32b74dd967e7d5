"""What a cell becomes: read, sent with the variables that it needs, followed as a task.

It must not draw or print anything: what is seen is another room's.
"""
