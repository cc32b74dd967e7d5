"""Reports and logs of a session: from its agent while that lives, else from what it has left."""

import time
from collections.abc import Callable
from typing import Any

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import log_files
from pilot_kernel.resource.event_log import log_path, logs
from pilot_kernel.resource.registry import AgentEntry
from pilot_kernel.sessions.reports.logs import Logs
from pilot_kernel.sessions.reports.report import Report

__all__ = ["logs_of", "past_report", "report_of"]

Call = Callable[..., Any]


def report_of(entry: AgentEntry, call: Call | None) -> Report:
    """The report of a session.

    Args:
        entry: Its agent.
        call: Calls the agent's handlers; None if it is gone.
    """
    if call is None:
        return Report.read(log_path(entry.id))
    return Report.read(call("event_log_path"), until=time.time())


def past_report(wanted: str | None = None) -> Report:
    """The report of a session that has ended, or is that of another notebook.

    Args:
        wanted: The id of its agent, or how that begins; None for the latest.

    Raises:
        PilotError: There is no such log, or there are several.
    """
    there = logs()
    found = there[-1:] if wanted is None else [p for p in there if p.name.startswith(wanted)]
    if len(found) != 1:
        shown = ", ".join(path.stem for path in (found or there)[-10:]) or "none"
        many = "several event logs" if found else "no event log"
        raise PilotError(f"{wanted or 'the last session'!r} has {many}; there is: {shown}")
    return Report.read(found[0])


def logs_of(entry: AgentEntry, call: Call | None, name: str | None) -> Logs:
    """The log files of a session; arguments are as for `report_of`.

    Args:
        entry: Its agent.
        call: Calls the agent's handlers; None if it is gone.
        name: Only those of a pilot's workers, of a worker, or of the `agent`.

    Raises:
        PilotError: There are none.
    """
    if call is None:
        told = log_files.gather(entry.directory, name=name)
    else:
        told = call("agent_logs", name=name)
    if not told:
        of = f" of {name!r}" if name else ""
        why = "session.logs() has all there are" if name else "they went with the session's agent"
        raise PilotError(f"there are no log files{of}; {why}")
    return Logs.of(told)
