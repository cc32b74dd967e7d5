"""What a run of a motif tells: plain data, as text, as JSON, as a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from qdreamer_lab.dreamer.report_text import html_table, seconds_text, text_table
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.outcome import Curve, Outcome
from qdreamer_lab.workflow.run import Traffic
from qdreamer_lab.workflow.settings import setting_text
from qdreamer_lab.workflow.spent import Spent

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

    from qdreamer_lab.workflow.trace import Trace

__all__ = ["MotifReport"]


@dataclass(frozen=True, kw_only=True)
class MotifReport:
    """How a run of a motif went.

    Attributes:
        motif: The motif's name.
        title: The same in words.
        parameters: Its parameters, by name.
        workers: How many workers there were.
        pilots: The pilots' names.
        ready_s: Seconds until the workers were up and had loaded what they need; not in `spent`.
        spent: Where the wall time went.
        traffic: What went to and fro.
        outcome: What it found out.
        trace: What had to wait for what; neither in text nor in JSON.
    """

    motif: str
    title: str
    parameters: Mapping[str, Any]
    workers: int
    pilots: tuple[str, ...]
    ready_s: float
    spent: Spent
    traffic: Traffic
    outcome: Outcome
    trace: Trace | None = None

    @property
    def values(self) -> Mapping[str, float | int | str]:
        """Numbers and words by their names: the results, and what the motif measures."""
        return self.outcome.values

    @property
    def data(self) -> Any:
        """Results that are no numbers."""
        return self.outcome.data

    @property
    def metrics(self) -> dict[str, float]:
        """What every motif measures: seconds by kind, overhead, tasks and messages a second.

        Messages and bytes are those between tasks, the notebook, and MPI ranks.
        """
        wall, traffic = self.spent.wall_s, self.traffic
        sent = traffic.sent_bytes + traffic.received_bytes + traffic.passed_bytes
        rate = 1 / wall if wall else 0.0
        return {
            "wall_s": wall,
            **{f"{name}_s": seconds for name, seconds in self.spent.parts().items()},
            "overhead": self.spent.overhead,
            "tasks": traffic.tasks,
            "tasks_per_s": traffic.tasks * rate,
            "messages_per_s": (traffic.messages + traffic.rank_messages) * rate,
            "bytes_per_s": (sent + traffic.rank_bytes) * rate,
        }

    def text(self) -> str:
        """All of it as plain text."""
        lines = [f"{self.title}: {seconds_text(self.spent.wall_s)}, {self._place()}"]
        lines.append("  " + ", ".join(f"{k}={setting_text(v)}" for k, v in self.parameters.items()))
        lines += ["", text_table(*self._time_table()), ""]
        if self.outcome.rows:
            lines += [text_table(*self._rows()), ""]
        lines += [f"{name}: {_shown(name, value)}" for name, value in self.values.items()]
        return "\n".join([*lines, *self.outcome.notes])

    def figure(self, *, dark: bool = False) -> go.Figure:
        """Where the time went, and the motif's own curves.

        Args:
            dark: For a dark page.
        """
        from qdreamer_lab.workflow.figures import report_figure

        return report_figure(self.motif, self.spent.parts(), self.outcome.curves, dark)

    def to_json(self) -> str:
        """As JSON that `from_json` reads; without `data` and `trace`."""
        plain = asdict(replace(self, trace=None, outcome=replace(self.outcome, data=None)))
        plain["outcome"].pop("data")
        plain.pop("trace")
        return json.dumps({**plain, "metrics": self.metrics}, default=_plain)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A report from the text that `to_json` made.

        Raises:
            MotifError: It is not that of a report.
        """
        try:
            plain = json.loads(text)
            plain.pop("metrics")
            outcome = plain["outcome"]
            curves = tuple(
                Curve(**{**c, "x": tuple(c["x"]), "y": tuple(c["y"])}) for c in outcome["curves"]
            )
            told = {"rows": tuple(outcome["rows"]), "notes": tuple(outcome["notes"])}
            plain["outcome"] = Outcome(values=outcome["values"], curves=curves, **told)
            plain["spent"], plain["traffic"] = Spent(**plain["spent"]), Traffic(**plain["traffic"])
            return cls(**{**plain, "pilots": tuple(plain["pilots"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MotifError(f"not a report of a motif: {error}") from None

    def _place(self) -> str:
        plural = "" if self.workers == 1 else "s"
        tasks = f"{self.traffic.tasks:,} task{'' if self.traffic.tasks == 1 else 's'}"
        ready = f"which were ready after {seconds_text(self.ready_s)}"
        return f"{tasks} on {self.workers} worker{plural} ({', '.join(self.pilots)}), {ready}"

    def _time_table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        wall = self.spent.wall_s or 1.0
        parts = self.spent.parts().items()
        rows: list[tuple[str, ...]] = [
            (name, seconds_text(s), f"{100 * s / wall:.1f} %") for name, s in parts
        ]
        return ("time in", "seconds", "share"), rows

    def _rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        keys = tuple(self.outcome.rows[0])
        return keys, [tuple(_shown(key, row[key]) for key in keys) for row in self.outcome.rows]

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<MotifReport {self.motif}: {self.spent.wall_s:.3g} s>"

    def _repr_html_(self) -> str:
        from html import escape

        found = [f"<p><b>{escape(self.title)}</b>: {seconds_text(self.spent.wall_s)}, "]
        found += [f"{escape(self._place())}</p>", html_table("", *self._time_table())]
        if self.outcome.rows:
            found.append(html_table("", *self._rows()))
        lines = [f"{name}: {_shown(name, value)}" for name, value in self.values.items()]
        words = "<br>".join(escape(line) for line in (*lines, *self.outcome.notes))
        return "".join(found) + f"<p>{words}</p>"


def _shown(name: str, value: Any) -> str:
    """A value by its name: times with as many digits as mean something."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if name.endswith((" s", ", s")) else f"{value:.6g}"


def _plain(value: Any) -> Any:
    """What JSON does not know: NumPy's numbers as Python's, all else as text."""
    return value.item() if hasattr(value, "item") else str(value)
