"""What an estimation of one PUB hands back: Qiskit's result, which shows its values as well."""

from __future__ import annotations

from qiskit.primitives import PrimitiveResult, PubResult

from qdreamer_lab.workload.modes import METHODS
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
        from pilot_kernel.jupyter.figures import figures
        from pilot_kernel.jupyter.text import figures_text

        return f"{figures_text(figures(PrimitiveResult([self])))}\n{self._how}"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """What a console and a notebook without pictures show."""
        printer.text(repr(self) if cycle else str(self))  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        from html import escape

        from pilot_kernel.jupyter.figures import figures
        from pilot_kernel.jupyter.html import figures_html

        return f"{figures_html(figures(PrimitiveResult([self])))}<div>{escape(self._how)}</div>"

    @property
    def _how(self) -> str:
        told = self.record
        cuts = told.plan.summary if told.plan is not None and told.plan.num_cuts else "not cut"
        counted = f", {told.shots:,} shots" if told.shots else ""
        method = "" if told.method == METHODS[0] else f" ({told.method})"
        return f"{told.mode}{method}{counted}; {cuts}; {told.makespan_s:.2g} s"
