"""Dask's worker without its web server.

Every worker of Dask's opens a port that speaks plain HTTP, even if there are no pages to show. With
a pilot on other machines that would be one on a network. Nothing of ours listens unencrypted.
"""

from typing import Any

from distributed import Worker

__all__ = ["SilentWorker"]


class SilentWorker(Worker):  # type: ignore[misc]
    """A worker that listens for the scheduler, its nanny and other workers only.

    It is made by a nanny, in a process of its own, so it has to be found by its name.
    """

    def start_http_server(self, *args: Any, **kwargs: Any) -> None:
        """Start none.

        Args:
            *args: What Dask gives.
            **kwargs: The same.
        """
