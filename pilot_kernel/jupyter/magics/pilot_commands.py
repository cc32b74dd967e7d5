"""What `%pilot` does, as plain functions: look at pilots and agents, and change them."""

import contextlib
from typing import Any

from pilot_kernel.drawing.units import clock
from pilot_kernel.errors import PilotError
from pilot_kernel.jupyter.show.agents_table import Table, agents_table
from pilot_kernel.jupyter.show.overviews import SessionView
from pilot_kernel.resource import registry, slurm_job
from pilot_kernel.resource.pilot import Pilot
from pilot_kernel.sessions.batch_script import job_script
from pilot_kernel.sessions.current import use
from pilot_kernel.sessions.reports.asking import past_report
from pilot_kernel.sessions.reports.logs import Logs
from pilot_kernel.sessions.reports.report import Report
from pilot_kernel.sessions.session import Session

__all__ = [
    "agents",
    "attach",
    "logs",
    "pilot_called",
    "reap",
    "report",
    "scale",
    "script",
    "status",
    "stop",
]


def status(session: Session | None) -> SessionView | Table:
    """The pilots of a session; None for no session."""
    if session is None:
        return Table((), (), empty="no session is open; %pilot start opens one")
    return SessionView(session)


def pilot_called(session: Session, name: str) -> Pilot:
    """A session's pilot by name.

    Raises:
        PilotError: There is none of that name.
    """
    pilots = session.pilots
    for pilot in pilots:
        if pilot.name == name:
            return pilot
    there = ", ".join(pilot.name for pilot in pilots) or "none"
    raise PilotError(f"there is no pilot {name!r}; there is: {there}")


def script(session: Session | None, wanted: str, keys: dict[str, Any]) -> str:
    """The batch script of a pilot's first job; nothing is submitted.

    Args:
        session: The open session, which knows more of it; None for none.
        wanted: The URL of a resource, or the name of one of the session's pilots.
        keys: Further keys of a description.
    """
    if session is None:
        return job_script(wanted, **keys)
    if "://" not in wanted and not keys:
        return pilot_called(session, wanted).job_script()
    return session.job_script(wanted, **keys)


def scale(session: Session, name: str, count: str) -> None:
    """Grow or shrink a pilot, or have it do so by itself.

    Args:
        session: The session.
        name: The pilot's name.
        count: A number of workers, or the fewest and the most, as `1:8`.

    Raises:
        PilotError: There is no such pilot, or these are no numbers.
    """
    pilot = pilot_called(session, name)
    fewest, colon, most = count.partition(":")
    if not fewest.isdecimal() or (colon and not most.isdecimal()):
        raise PilotError(
            f"%pilot scale {name} {count}: write a number of workers, or the fewest and the most, "
            "as 1:8"
        )
    if colon:
        pilot.scale(minimum=int(fewest), maximum=int(most))
    else:
        pilot.scale(int(fewest))


def stop(session: Session | None, name: str | None) -> str:
    """Stop a pilot, or the whole session."""
    if session is None:
        return "no session is open"
    if name is None:
        session.close()
        return "the session is closed, its pilots are stopped"
    pilot_called(session, name).stop()
    return f"pilot {name} is stopped; its results were moved, and its tasks run elsewhere"


def report(session: Session | None, wanted: str | None) -> Report:
    """What has happened in a session.

    Args:
        session: The session that is open.
        wanted: Id of another agent, living or gone, or the beginning of it; None for the open
            session, or the last one if none is open.

    Raises:
        PilotError: There is no such session on record.
    """
    if session is None or wanted is not None:
        return past_report(wanted)
    return session.report()


def logs(session: Session | None, name: str | None) -> Logs:
    """The log files of a session.

    Args:
        session: The session that is open.
        name: Only those of a pilot's workers, of a worker, or of the `agent`.

    Raises:
        PilotError: There are none.
    """
    if session is None:
        raise PilotError("no session is open; its log files went with its agent")
    return session.logs(name)


def agents(session: Session | None) -> Table:
    """The agents of this user, whichever notebook they belong to."""
    entries = registry.entries()
    return agents_table(entries, _own(session), {entry.id: _job(entry) for entry in entries})


def _job(entry: registry.AgentEntry) -> str:
    """The batch job that an agent runs in, in words; empty if it is in none."""
    if not entry.batch:
        return ""
    with contextlib.suppress(slurm_job.QueueError):
        seen = slurm_job.find(entry.id)
        if seen is not None:
            ends = seen.ends_at
            until = "" if ends is None or seen.waits else f", until {clock(ends)}"
            return f"{seen}{until}"
    return f"job {entry.job}, its state is unknown" if entry.job else "unknown"


def _own(session: Session | None) -> str | None:
    entry = session._link.entry if session is not None else None
    return entry.id if entry is not None else None


def attach(session: Session | None, wanted: str) -> Session:
    """Leave the open session, if there is one, and attach to another agent of this user.

    Args:
        session: The session that is open.
        wanted: Id of the agent, the beginning of it, or its session's name.

    Raises:
        PilotError: No living agent has this name, or several have.
    """
    entry = _entry(wanted)
    if not entry.alive():
        raise PilotError(f"agent {entry.id} is dead; %pilot reap removes what it left")
    if session is not None:
        if _own(session) == entry.id:
            return session
        idle = all(task.done() for task in session.tasks)
        (session.close if idle else session.detach)()
    found = Session(entry.id)
    use(found)
    return found


def _entry(wanted: str) -> registry.AgentEntry:
    entries = registry.entries()
    exact = [entry for entry in entries if wanted in (entry.id, entry.name)]
    found = exact[-1:] or [entry for entry in entries if entry.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(entry.id for entry in (found or entries)) or "none"
    raise PilotError(
        f"{wanted!r} names {'several agents' if found else 'no agent'}; there is: {shown}"
    )


def reap(session: Session | None, wanted: str | None, *, everything: bool = False) -> str:
    """End agents and all that they started, and remove what dead ones have left.

    Args:
        session: The open session; its agent is spared unless it is named.
        wanted: The agent to end; None for the dead ones only.
        everything: End all agents but the session's own.

    Raises:
        PilotError: No agent has the name `wanted`.
    """
    own = _own(session)
    if wanted is not None:
        gone = [_entry(wanted)]
    elif everything:
        gone = [entry for entry in registry.entries() if entry.id != own]
    else:
        gone = [entry for entry in registry.entries() if not entry.alive()]
    for entry in gone:
        if session is not None and entry.id == own:
            session.close()
        else:
            registry.reap(entry)
    return f"removed: {', '.join(entry.id for entry in gone)}" if gone else "nothing to remove"
