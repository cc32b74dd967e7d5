"""What an estimation of one PUB hands back: Qiskit's result, which shows its values as well."""

from __future__ import annotations

from html import escape

from qiskit.primitives import PrimitiveResult, PubResult

from pilot_kernel.drawing.chart_html import charts_html
from pilot_kernel.drawing.chart_text import charts_text
from pilot_kernel.drawing.results import result_charts
from qdreamer_lab.workload.mode import USUAL_METHOD
from qdreamer_lab.workload.record import RunRecord

__all__ = ["CutResult"]


class CutResult(PubResult):  # type: ignore[misc]  # Qiskit has no types
    """A `PubResult` that shows its values, by the names of their observables.

    Its metadata is that of a `RunRecord`.
    """

    @property
    def record(self) -> RunRecord:
        """What the run tells of itself."""
        return RunRecord.of(self)

    def __repr__(self) -> str:
        shape = f"{self.data.evs.size} values" if self.data.evs.ndim else f"{self.data.evs:.6g}"
        return f"<CutResult: {shape}; {self._how}>"

    def __str__(self) -> str:
        return f"{charts_text(result_charts(PrimitiveResult([self])))}\n{self._how}"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """What a console and a notebook without pictures show."""
        printer.text(repr(self) if cycle else str(self))  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        return (
            f"{charts_html(result_charts(PrimitiveResult([self])))}<div>{escape(self._how)}</div>"
        )

    @property
    def _how(self) -> str:
        told = self.record
        cuts = told.plan.summary if told.plan is not None and told.plan.num_cuts else "not cut"
        counted = f", {told.shots:,} shots" if told.shots else ""
        method = "" if told.method == USUAL_METHOD else f" ({told.method})"
        return f"{told.mode}{method}{counted}; {cuts}; {told.makespan_s:.2g} s"
