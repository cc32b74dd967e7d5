"""A plan as text, SVG and HTML.

It must not import a plotting library.
"""
