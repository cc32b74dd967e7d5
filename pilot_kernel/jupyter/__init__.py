"""The front door: what a notebook sees of the pilot. The only floor that touches IPython."""
