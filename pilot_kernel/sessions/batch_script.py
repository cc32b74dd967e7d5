"""Batch scripts without a session: those of pilots' jobs, and of an agent's own job."""

from typing import Any

from pilot_kernel.resource import registry
from pilot_kernel.resource.connection.job_script import describe, shown_script
from pilot_kernel.resource.description import PilotDescription
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.kind.kind import Site

__all__ = ["AGENT_PLUGINS", "agent_job_script", "job_script"]

AGENT_PLUGINS = (
    "pilot_kernel.task.ledger:Ledger",
    "pilot_kernel.task.everywhere:Everywhere",
    "pilot_kernel.task.worker.plugin:WorkerEdge",
)
"""What agents add to their schedulers and workers, as `module:class`."""

_AGENT = "agent-ID"
_SCHEDULER = "tls://ADDRESS:PORT"


def job_script(description: PilotDescription | str | None = None, **keys: Any) -> str:
    """The batch script of a pilot's first job; nothing is submitted, and no session is needed.

    What only a session knows stands in capitals: its ID, and the ADDRESS and PORT at which it
    listens. `Session.job_script` and `Pilot.job_script` know them. No secret is in a script.

    Args:
        description: A description, or the URL of a resource, such as "slurm://".
        **keys: Further keys of `PilotDescription`.

    Raises:
        DescriptionError: A key is wrong, or the pilot has no batch jobs.
    """
    described = PilotDescription.coerce(description, **keys)
    by_scheme.check_description(described)
    site = Site(
        agent=_AGENT,
        pilot=described.name or by_scheme.usual_name(described),
        security=None,
        scheduler=_SCHEDULER,
        host="ADDRESS",
        directory=registry.root() / _AGENT,
    )
    return by_scheme.job_script(described, site)


def agent_job_script(inside: PilotDescription | str = "slurm://", **keys: Any) -> str:
    """The script of the batch job of `session(inside=…)`; nothing is submitted.

    The agent's ID, which is made up when it is submitted, stands in capitals. No secret is in it.

    Args:
        inside: As for `Session`.
        **keys: As for `Session`.

    Raises:
        DescriptionError: A key of the job, or a size, is wrong.
    """
    return shown_script(describe(inside, keys), AGENT_PLUGINS)
