"""Dask's scheduler and worker as agents have them: no web pages, no port that does not speak TLS.

Dask opens a port for pages even where there are no pages, and anyone on the machine can reach it.
Workers of every kind of pilot are of this class; a batch script names it to `dask worker`.
"""

from typing import Any

from distributed import Worker
from distributed.http.routing import RoutingApplication
from tornado.httpserver import HTTPServer

from pilot_kernel.resource import versions

__all__ = ["VERSIONS", "NoWeb", "NoWebWorker"]

VERSIONS = "pilot_versions"
"""Under which name a worker tells its versions when it asks to be let in."""

_IMPORTED = versions.here()  # once for all workers that are forked from one process


class NoWeb:
    """Mixed into a scheduler or a worker: its web server is there, but listens nowhere."""

    def start_http_server(
        self,
        routes: Any,
        dashboard_address: Any,
        default_port: int = 0,
        ssl_options: Any = None,
    ) -> None:
        """Make the server without opening a port; whoever wants pages has it listen."""
        self.http_application = RoutingApplication(routes)
        self.http_server = HTTPServer(self.http_application, ssl_options=ssl_options)


class NoWebWorker(NoWeb, Worker):  # type: ignore[misc]
    """A worker that listens on one port, with TLS, and says of which versions it is."""

    async def get_startup_information(self) -> dict[str, Any]:
        """What the scheduler is told first."""
        told: dict[str, Any] = await super().get_startup_information()
        return {**told, VERSIONS: _IMPORTED}
