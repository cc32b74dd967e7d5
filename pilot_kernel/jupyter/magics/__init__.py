"""What is typed: the cell magics, the line magics, and waiting for what a cell has sent.

It parses and delegates; it must not prepare work for workers or draw anything itself.
"""
