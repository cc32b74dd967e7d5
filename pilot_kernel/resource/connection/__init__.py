"""The notebook's connection to its agent: finding or starting one, calling it, noticing its end.

It must not know pilots or tasks.
"""
