"""Dask's worker without its web server: nothing of ours listens unencrypted."""

from typing import Any

from distributed import Worker

__all__ = ["SilentWorker"]


class SilentWorker(Worker):  # type: ignore[misc]
    """A worker that listens for its scheduler and other workers only."""

    def start_http_server(self, *args: Any, **kwargs: Any) -> None:
        """Start none."""
