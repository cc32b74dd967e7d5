"""Rows of published figures and ours: plain data, as text and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from qdreamer_lab.dreamer.report_text import text_table

if TYPE_CHECKING:
    from qdreamer_lab.workflow.reproduce.published import Published

__all__ = ["Comparison", "Row"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of theirs and ours.

    Attributes:
        what: What is counted.
        theirs: The published figure.
        ours: Ours, in the same unit.
        setting: What ours was measured with: cores, exact or sampled, error bar.
        less_is_better: Whether the smaller figure is the better one.
    """

    what: str
    theirs: Published
    ours: float
    setting: str
    less_is_better: bool = True

    @property
    def factor(self) -> float:
        """How many times better ours is than the best of theirs."""
        if self.less_is_better:
            return self.theirs.low / self.ours
        return self.ours / self.theirs.high


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All rows.

    Attributes:
        rows: Each.
        notes: In which way the comparison is unfair, in either direction, and what was seen.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def mean_factor(self, beginning: str) -> float:
        """Geometric mean of the factors of rows whose name begins like this."""
        found = [math.log(row.factor) for row in self.rows if row.what.startswith(beginning)]
        return math.exp(sum(found) / len(found))

    def text(self) -> str:
        """As plain text."""
        head = ("what", "theirs", "ours", "factor", "theirs with", "ours with")
        told = list(dict.fromkeys((row.theirs.setting, row.theirs.source) for row in self.rows))
        rows = [
            (
                row.what,
                row.theirs.text,
                f"{row.ours:.4g} {row.theirs.unit.split()[0]}",
                f"{row.factor:.3g}",
                f"[{told.index((row.theirs.setting, row.theirs.source)) + 1}]",
                row.setting,
            )
            for row in self.rows
        ]
        sources = [f"[{k}] {setting}; {source}" for k, (setting, source) in enumerate(told, 1)]
        return "\n".join([text_table(head, rows), "", *sources, "", *self.notes])

    def to_json(self) -> str:
        """As JSON."""
        rows = [{**asdict(row), "factor": row.factor} for row in self.rows]
        return json.dumps({"rows": rows, "notes": self.notes})
