"""How a plan is drawn: as text, as SVG, as HTML, or by a function that an entry point names.

It must not import a plotting library.
"""
