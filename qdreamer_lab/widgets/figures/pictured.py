"""Plotly figures that bring a picture and words along: a saved notebook shows them anywhere.

Apart from the others, since it imports plotly, which takes longer than drawing.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from qdreamer_lab.still import picture, words

__all__ = ["Figure"]

_LIVE = "application/vnd.plotly.v1+json"


class Figure(go.Figure):  # type: ignore[misc]
    """A plotly figure; where plotly's own form of it is not known, an SVG picture is shown."""

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What a notebook saves: plotly's forms, and beside its own type a picture and words."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(*args, **kwargs)
        if _LIVE not in bundle:
            return bundle  # such as Voila's page, which saves nothing
        spec = self.to_dict()
        return {**bundle, "image/svg+xml": picture(spec), "text/plain": words(spec)}

    def _ipython_display_(self) -> None:
        self.show()

    def show(self, *args: Any, **kwargs: Any) -> None:
        """Show it; arguments are those of `plotly.io.show`."""
        bundle = {} if args or kwargs else self._shown()
        if bundle:
            from IPython.display import display

            display(bundle, raw=True)
        elif args or kwargs or pio.renderers.render_on_display:
            super().show(*args, **kwargs)
        else:
            print(repr(self))

    def _shown(self) -> dict[str, Any]:
        """What a notebook shows without being asked for another form; empty elsewhere."""
        if not (pio.renderers.render_on_display and pio.renderers.default):
            return {}
        bundle = self._repr_mimebundle_()
        return bundle if _LIVE in bundle else {}
