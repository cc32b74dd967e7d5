"""The table of `%pilot list`, as HTML and as text."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pilot_kernel.drawing.html import table_html
from pilot_kernel.drawing.text import table_text
from pilot_kernel.drawing.units import seconds
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["Table", "agents_table"]


@dataclass(frozen=True)
class Table:
    """Rows of text below a head, or a line that says that there are none.

    Attributes:
        head: Names of the columns.
        rows: The rows.
        numeric: The columns to align to the right.
        empty: What to say if there are no rows.
        note: A line below.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    empty: str = "nothing"
    note: str = ""

    def __repr__(self) -> str:
        shown = table_text(self.head, self.rows, self.numeric) if self.rows else self.empty
        return f"{shown}\n{self.note}" if self.note else shown

    def _repr_html_(self) -> str:
        from html import escape

        shown = table_html(self.head, self.rows, self.numeric) if self.rows else self.empty
        note = f"<div style='opacity:.65'>{escape(self.note)}</div>" if self.note else ""
        return f"<div style='font-size:13px'>{shown}{note}</div>"


def agents_table(
    entries: Sequence[AgentEntry], own: str | None, jobs: Mapping[str, str] = MappingProxyType({})
) -> Table:
    """The agents of this user, one in each row.

    Args:
        entries: What the registry holds.
        own: The id of the agent of this notebook.
        jobs: The batch jobs that they run in, in words, by their ids.
    """
    now = time.time()
    any_jobs = any(jobs.values())
    return Table(
        ("agent", "session", "host", "process", "age", *(("job",) * any_jobs), ""),
        tuple(
            (
                entry.id,
                entry.name or "(script)",
                entry.host,
                str(entry.pid),
                seconds(now - entry.started),
                *((jobs.get(entry.id, ""),) * any_jobs),
                "this notebook's" if entry.id == own else "" if entry.alive() else "dead",
            )
            for entry in entries
        ),
        numeric=(3, 4),
        empty="you have no agents",
    )
