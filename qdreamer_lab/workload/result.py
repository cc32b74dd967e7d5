"""What a run of one PUB hands back: Qiskit's result, which shows its values as well."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qiskit.primitives import PrimitiveResult, PubResult, SamplerPubResult

from pilot_kernel.drawing.chart_html import charts_html
from pilot_kernel.drawing.chart_text import charts_text
from pilot_kernel.drawing.frame import to_frame
from pilot_kernel.drawing.results import result_charts
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.workload.mode import USUAL_METHOD
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qdreamer_lab.workload.outcomes.distribution import Distribution

__all__ = ["CutResult", "CutSamples"]


class CutResult(PubResult):  # type: ignore[misc]  # Qiskit has no types
    """A `PubResult` that shows its values, by the names of their observables.

    Its metadata is that of a `RunRecord`.
    """

    @property
    def record(self) -> RunRecord:
        """What the run tells of itself."""
        return RunRecord.of(self)

    def to_frame(self) -> Any:
        """As a pandas `DataFrame`; see `pilot_kernel.to_frame`.

        Raises:
            PilotError: pandas is not installed.
        """
        return to_frame(self)

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
        return _how(self.record)


class CutSamples(SamplerPubResult):  # type: ignore[misc]  # Qiskit has no types
    """A `SamplerPubResult` that knows the distributions that its samples come from.

    Its metadata is that of a `RunRecord`, and `distributions`.
    """

    @property
    def record(self) -> RunRecord:
        """What the run tells of itself."""
        return RunRecord.of(self)

    def to_frame(self) -> Any:
        """As a pandas `DataFrame`; see `pilot_kernel.to_frame`.

        Raises:
            PilotError: pandas is not installed.
        """
        return to_frame(self)

    @property
    def distributions(self) -> NDArray[Any]:
        """Of the PUB's shape, a `Distribution` for each set of parameter values."""
        found: NDArray[Any] = self.metadata["distributions"]
        return found

    @property
    def distribution(self) -> Distribution:
        """The distribution of a PUB that has one set of parameter values.

        Raises:
            QDreamerError: If it has several, or none.
        """
        if self.distributions.size != 1:
            raise QDreamerError(
                f"there are distributions of shape {self.distributions.shape}: choose one of "
                "result.distributions"
            )
        only: Distribution = self.distributions.ravel()[0]
        return only

    def __repr__(self) -> str:
        return f"<CutSamples: {self._taken}; {_how(self.record)}>"

    def __str__(self) -> str:
        return f"{charts_text(result_charts(PrimitiveResult([self])))}\n{_how(self.record)}"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        """What a console and a notebook without pictures show."""
        printer.text(repr(self) if cycle else str(self))  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        charts = charts_html(result_charts(PrimitiveResult([self])))
        return f"{charts}<div>{escape(_how(self.record))}</div>"

    @property
    def _taken(self) -> str:
        shots = {bits.num_shots for bits in self.data.values()}
        return f"{max(shots, default=0):,} samples of {', '.join(self.data) or 'nothing'}"


def _how(told: RunRecord) -> str:
    """How a run went, in a line."""
    cuts = told.plan.summary if told.plan is not None and told.plan.num_cuts else "not cut"
    counted = f", {told.shots:,} shots" if told.shots else ""
    method = "" if told.method == USUAL_METHOD else f" ({told.method})"
    return f"{told.mode}{method}{counted}; {cuts}; {told.makespan_s:.2g} s"
