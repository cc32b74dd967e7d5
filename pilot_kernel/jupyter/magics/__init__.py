"""What is typed: the cell magics, the line magics, and waiting for what a cell has sent.

It parses and delegates: neither work for a task nor drawing is done here.
"""
