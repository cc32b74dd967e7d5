"""The TLS credentials of one agent: made fresh, kept in files that only their owner reads.

An open scheduler port is a shell for everyone on that node, loopback included.
"""

import os
from pathlib import Path
from typing import Any

__all__ = ["create", "load", "store"]


def create(directory: Path) -> Any:
    """Write a fresh certificate and key into `directory` and return them as a `Security`."""
    from distributed.security import Security

    fresh = Security.temporary()
    return store(directory, fresh.tls_scheduler_cert, fresh.tls_scheduler_key)


def store(directory: Path, certificate: str, key: str) -> Any:
    """Write credentials into `directory`, which others cannot enter, and load them from there.

    Args:
        directory: Where.
        certificate: The certificate, as PEM.
        key: The key, as PEM.
    """
    for part, pem in (("cert", certificate), ("key", key)):
        descriptor = os.open(_path(directory, part), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(pem)
    return load(directory)


def load(directory: Path) -> Any:
    """Read the credentials in `directory` as a `Security` for client, scheduler and workers."""
    from distributed.security import Security

    cert, key = str(_path(directory, "cert")), str(_path(directory, "key"))
    parts = {
        f"tls_{role}_{part}": path
        for role in ("client", "scheduler", "worker")
        for part, path in (("cert", cert), ("key", key))
    }
    return Security(require_encryption=True, tls_ca_file=cert, **parts)


def _path(directory: Path, part: str) -> Path:
    return directory / f"tls-{part}.pem"
