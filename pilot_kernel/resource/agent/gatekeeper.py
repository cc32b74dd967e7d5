"""A scheduler that lets in no worker whose versions differ from its own.

What travels between notebook, agent and worker is pickled, and what one version of Python, Dask or
Qiskit has pickled, another may refuse, or take for something else.
"""

from typing import Any

from distributed import Scheduler

from pilot_kernel.resource import versions
from pilot_kernel.resource.no_web import VERSIONS

__all__ = ["Gatekeeper"]

_MOST = 1_000


class Gatekeeper(Scheduler):  # type: ignore[misc]
    """Compares versions before a worker is known to anybody.

    Attributes:
        refusals: Why workers were not let in, by their names; the last word on each.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusals: dict[str, str] = {}
        self.versions = versions.here()

    async def add_worker(
        self, comm: Any, *, address: str, name: Any, extra: dict[str, Any], **told: Any
    ) -> None:
        """Let a worker in, or tell it why not; it ends then, and says so in its log."""
        theirs = extra.get(VERSIONS) or {}
        if different := versions.differences(self.versions, theirs):
            self._refuse(str(name), different)
            await comm.write({"status": "error", "message": self.refusals[str(name)], "time": 0.0})
            return
        self.refusals.pop(str(name), None)
        await super().add_worker(comm, address=address, name=name, extra=extra, **told)

    def _refuse(self, name: str, different: str) -> None:
        self.refusals.pop(name, None)
        self.refusals[name] = (
            f"worker {name} was refused: {different}; install the same versions where it runs, or "
            "have its Python environment activated (scheduler_script_commands)"
        )
        while len(self.refusals) > _MOST:
            del self.refusals[next(iter(self.refusals))]
