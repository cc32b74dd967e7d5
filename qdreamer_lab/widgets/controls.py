"""The explorer's controls: ipywidgets with labels and hints. They decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from qdreamer_lab.workload.modes import MODE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qdreamer_lab.widgets.state import Controls

__all__ = ["FORMATS", "Panel"]

FORMATS = (
    ("plan (JSON)", "json"),
    ("page (HTML)", "html"),
    ("picture (PNG)", "png"),
    ("picture (SVG)", "svg"),
)

_KINDS = (
    ("gates and wires", ("gate", "wire")),
    ("gates only", ("gate",)),
    ("wires only", ("wire",)),
)
_COSTS = (
    ("shots, single cuts", "lo"),
    ("shots, joint cuts", "joint"),
    ("shots, joint cuts, communication", "locc"),
    ("operations (exact mode)", "work"),
)
_MODES = tuple((name, name) for name in ("auto", *MODE_NAMES))
_MOST_WORKERS = 4096
_LONGEST_SEARCH_S = 60.0
_FINEST = 1e-5


class Panel:
    """All controls and actions.

    Args:
        controls: To begin with.
        num_qubits: Of the circuit.
        places: Names that `on` can take.
        workers: How many there are.
        parameters: Names of unbound parameters, one slider each.
    """

    def __init__(
        self,
        controls: Controls,
        num_qubits: int,
        places: Sequence[str],
        workers: int,
        parameters: Sequence[str],
    ) -> None:
        self.width = ipywidgets.IntSlider(
            value=min(controls.width, num_qubits),
            min=min(2, num_qubits),
            max=num_qubits,
            description="Fragment width",
            tooltip="Most qubits of a fragment; at the circuit's own width nothing is cut",
        )
        self._make_plan_controls(controls)
        self._make_run_controls(controls, places, workers)
        self.values = [
            _angle(name, value) for name, value in zip(parameters, controls.values, strict=True)
        ]
        self._make_actions()
        self.widget = self._laid_out()

    def _make_plan_controls(self, controls: Controls) -> None:
        """What may be cut, and how long to look for it."""
        self.kinds = _menu("Cut kinds", _KINDS, controls.kinds, "What may be cut")
        self.cost = _menu(
            *("Cost model", _COSTS, controls.cost),
            (
                "What makes a plan good: few shots, for each single cut or for joint cuts "
                "(with classical communication between devices or without), or few operations "
                "to compute in exact mode"
            ),
        )
        self.time_limit_s = ipywidgets.BoundedFloatText(
            value=controls.time_limit_s,
            min=0,
            max=_LONGEST_SEARCH_S,
            step=0.5,
            description="Search limit (s)",
            tooltip="Seconds that the search for cuts may take for each width",
        )

    def _make_run_controls(self, controls: Controls, places: Sequence[str], workers: int) -> None:
        """In which mode a run would be, and where."""
        self.mode = _menu(
            *("Mode", _MODES, controls.mode),
            "Exact values by simulation, or estimates from shots; auto looks at both",
        )
        self.precision = ipywidgets.BoundedFloatText(
            value=controls.precision,
            min=_FINEST,
            max=1,
            step=0.005,
            description="Precision",
            tooltip="Standard error wanted in sampled mode",
        )
        self.on = _menu(
            "Run on",
            [("any worker", ""), *((name, name) for name in places)],
            controls.on or "",
            "Kind of worker or pilot that runs the fragments",
        )
        self.workers = ipywidgets.BoundedIntText(
            value=workers,
            min=1,
            max=_MOST_WORKERS,
            description="Workers",
            tooltip="How many workers to predict for, and the most that a run uses",
        )

    def _make_actions(self) -> None:
        """What can be done with the selected plan."""
        self.run = _button("Run", "Run the selected plan (the ring)", "play", style="primary")
        self.stop = _button("Stop", "Stop the run; what it has done so far is thrown away", "stop")
        self.best = _button(
            "Recommended", "Select the plan that is predicted to be fastest (the star)", "star"
        )
        self.compare = _button(
            "Compare",
            "Keep the selected plan in the table beside others, or take it out",
            "thumb-tack",
        )
        self.code = _button("Code", "Show the Python that plans and runs like this", "code")
        self.format = ipywidgets.Dropdown(
            options=FORMATS, value="json", description="Save as", tooltip="What to save"
        )
        self.save = _button("Save", "Download it", "download")
        self.stop.disabled = True

    def _laid_out(self) -> Any:
        self.choices = choices = [
            self.width,
            self.precision,
            self.mode,
            self.kinds,
            self.cost,
            self.on,
            self.workers,
            self.time_limit_s,
            *self.values,
        ]
        for choice in [*choices, self.format]:
            choice.style.description_width = "initial"
            choice.layout.width = "auto"
        self.width.add_class("qd-broad")
        grid = ipywidgets.Box(choices)
        grid.add_class("qd-controls")
        buttons = [self.run, self.stop, self.best, self.compare, self.code]
        for button in (*buttons, self.save):
            button.layout.width = "auto"
        saving = ipywidgets.Box([self.format, self.save])
        saving.add_class("qd-saving")
        actions = ipywidgets.Box([*buttons, saving])
        actions.add_class("qd-actions")
        return ipywidgets.VBox([grid, actions])

    @property
    def hints(self) -> dict[str, str]:
        """What each labelled control is for."""
        return {choice.description: choice.tooltip for choice in [*self.choices, self.format]}

    def watch(self, moved: Callable[..., None]) -> None:
        """Tell of every change as `moved(name=value)`, in the words of `Controls`."""
        for name in ("width", "kinds", "cost", "mode", "precision", "workers", "time_limit_s"):
            _follow(getattr(self, name), name, moved)
        self.on.observe(lambda change: moved(on=change["new"] or None), names="value")
        for slider in self.values:
            slider.observe(
                lambda _: moved(values=tuple(each.value for each in self.values)), names="value"
            )


def _follow(widget: Any, name: str, moved: Callable[..., None]) -> None:
    widget.observe(lambda change: moved(**{name: change["new"]}), names="value")


def _angle(name: str, value: float) -> Any:
    return ipywidgets.FloatSlider(
        value=value,
        min=-3.15,
        max=3.15,
        step=0.05,
        description=name,
        tooltip=f"Value of the unbound parameter {name}, in radians",
    )


def _menu(label: str, options: Sequence[tuple[str, Any]], value: Any, hint: str) -> Any:
    return ipywidgets.Dropdown(options=options, value=value, description=label, tooltip=hint)


def _button(label: str, hint: str, icon: str, style: str = "") -> Any:
    return ipywidgets.Button(description=label, tooltip=hint, icon=icon, button_style=style)
