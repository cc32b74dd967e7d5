"""The tables that `%pilot` and `%tasks` show: rows of text that know how to show themselves."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pilot_kernel.jupyter.html import table_html
from pilot_kernel.jupyter.parcel import megabytes
from pilot_kernel.jupyter.text import seconds, table_text
from pilot_kernel.resource.pilot import PilotStatus
from pilot_kernel.resource.registry import AgentEntry

__all__ = ["Table", "agents_table", "pilots_table", "tasks_table"]


@dataclass(frozen=True)
class Table:
    """Rows under a head, with a line to say when there is none.

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


def pilots_table(statuses: Sequence[PilotStatus], note: str = "") -> Table:
    """One row a pilot."""
    return Table(
        ("pilot", "resource", "state", "workers", "busy", "cores each", "memory each", "offers"),
        tuple(
            (
                pilot.name,
                pilot.resource,
                str(pilot.state),
                f"{pilot.workers}/{pilot.wanted}",
                str(pilot.running),
                str(pilot.cores_per_worker),
                megabytes(pilot.memory_per_worker_bytes),
                " ".join(pilot.offers).lower(),
            )
            for pilot in statuses
        ),
        numeric=(3, 4, 5, 6),
        empty="no pilot yet; the first task adds local://, and %pilot add URL adds others",
        note=note,
    )


def tasks_table(tasks: Sequence[Any], records: dict[str, Any]) -> Table:
    """One row a task.

    Args:
        tasks: The tasks.
        records: What the agent knows of them, by key.
    """
    rows = []
    for task in tasks:
        record = records.get(_latest_key(task))
        done, parts = task.progress
        rows.append(
            (
                task.key,
                str(task.state),
                f"{done}/{parts}" if parts > 1 else "",
                (record.pilot or "") if record else "",
                seconds(_waited(record)),
                seconds(_ran(record)),
                str(task.deaths or ""),
            )
        )
    return Table(
        ("task", "state", "parts", "pilot", "waited", "ran", "deaths"),
        tuple(rows),
        numeric=(2, 4, 5, 6),
        empty="no tasks yet",
    )


def _latest_key(task: Any) -> str:
    stages = getattr(task, "stages", None)
    key: str = stages[-1].key if stages else task.key
    return key


def _waited(record: Any) -> float | None:
    if record is None or (record.state.final and record.started is None):
        return None
    # Two machines' clocks may differ by a little.
    return max(0.0, float((record.started or time.time()) - record.queued))


def _ran(record: Any) -> float | None:
    if record is None or record.started is None:
        return None
    return float((record.finished or time.time()) - record.started)


def agents_table(entries: Sequence[AgentEntry], own: str | None) -> Table:
    """One row an agent of this user.

    Args:
        entries: What the registry holds.
        own: The id of the agent of this notebook.
    """
    now = time.time()
    return Table(
        ("agent", "session", "host", "process", "age", ""),
        tuple(
            (
                entry.id,
                entry.name or "(script)",
                entry.host,
                str(entry.pid),
                seconds(now - entry.started),
                "this notebook's" if entry.id == own else "" if entry.alive() else "dead",
            )
            for entry in entries
        ),
        numeric=(3, 4),
        empty="no agents of yours on record",
    )
