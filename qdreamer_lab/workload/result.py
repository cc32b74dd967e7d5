"""What an estimation of one PUB hands back: Qiskit's result, which shows its values as well."""

from __future__ import annotations

from qiskit.primitives import PrimitiveResult, PubResult

__all__ = ["CutResult"]


class CutResult(PubResult):  # type: ignore[misc]  # Qiskit has no types
    """A `PubResult` that shows its values, by the names of their observables.

    Its metadata has to say which `observables`, `parameter_values`, `mode`, `method`, `plan`,
    `shots` and `makespan_s` it is of.
    """

    def __repr__(self) -> str:
        shape = f"{self.data.evs.size} values" if self.data.evs.ndim else f"{self.data.evs:.6g}"
        return f"<CutResult: {shape}; {self._how}>"

    def __str__(self) -> str:
        from pilot_kernel.drawing.results import figures
        from pilot_kernel.drawing.text import figures_text

        return f"{figures_text(figures(PrimitiveResult([self])))}\n{self._how}"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """What a console and a notebook without pictures show."""
        printer.text(repr(self) if cycle else str(self))  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        from html import escape

        from pilot_kernel.drawing.html import figures_html
        from pilot_kernel.drawing.results import figures

        return f"{figures_html(figures(PrimitiveResult([self])))}<div>{escape(self._how)}</div>"

    @property
    def _how(self) -> str:
        told = self.metadata
        plan, shots = told["plan"], told["shots"]
        cuts = plan.summary if plan is not None and plan.num_cuts else "not cut"
        counted = f", {shots:,} shots" if shots else ""
        method = "" if told["method"] == "statevector" else f" ({told['method']})"
        return f"{told['mode']}{method}{counted}; {cuts}; {told['makespan_s']:.2g} s"
