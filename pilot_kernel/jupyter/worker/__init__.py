"""How a cell runs on a worker: its variables, its code, what it displays on the way.

It must not import IPython before the cell itself does, nor anything of the notebook's rooms.
"""
