"""Figures as SVG pictures and as words, from the plain data that plotly.js draws.

For pages where no script runs, and until one does; it must not know what the figures are about.
"""

from qdreamer_lab.still.svg_picture import picture, words

__all__ = ["picture", "words"]
