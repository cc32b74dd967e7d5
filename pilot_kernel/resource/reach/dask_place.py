"""The Dask cluster that a `dask://` URL names: its address, and how to connect to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pilot_kernel.errors import DescriptionError

__all__ = ["DaskPlace", "is_loopback", "place"]

_TLS = ("tls_ca_file", "tls_client_cert", "tls_client_key")
_KEYS = ("scheduler_file", *_TLS)
_EXAMPLES = (
    "dask://host:8786, dask://?scheduler_file=/path/scheduler.json, "
    "dask://host:8786?tls_ca_file=ca.pem&tls_client_cert=me.pem&tls_client_key=key.pem"
)


@dataclass(frozen=True)
class DaskPlace:
    """A cluster.

    Attributes:
        address: Of its scheduler.
        tls: Files for TLS, by the names that `distributed.Security` has for them.
    """

    address: str
    tls: Mapping[str, str] = field(default_factory=dict)

    @property
    def encrypted(self) -> bool:
        """Whether connections to it are."""
        return self.address.startswith("tls://")

    @property
    def here(self) -> bool:
        """Whether it listens on loopback only."""
        return is_loopback(self.address)

    def security(self) -> Any:
        """For a client of it; what the URL does not say is in Dask's own configuration."""
        from distributed.security import Security

        return Security(require_encryption=True, **self.tls) if self.encrypted else Security()


def is_loopback(address: str) -> bool:
    """Whether a Dask address is one of this machine's loopback interface."""
    host = urlsplit(address).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def place(resource: str) -> DaskPlace:
    """The cluster that a URL names; nothing is connected.

    Args:
        resource: The URL.

    Raises:
        DescriptionError: It names none, or one that credentials cannot be sent to.
    """
    parts = urlsplit(resource)
    asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    for key in asked:
        if key not in _KEYS:
            raise DescriptionError(f"resource={resource!r}: a Dask cluster has no {key!r}")
    if parts.path.strip("/") or parts.fragment or "@" in parts.netloc:
        raise DescriptionError(f"resource={resource!r}: write {_EXAMPLES}")
    tls = _tls_files(asked)
    if bool(parts.netloc) == ("scheduler_file" in asked):
        raise DescriptionError(
            f"resource={resource!r}: an address, or a scheduler_file; write {_EXAMPLES}"
        )
    if parts.netloc:
        found = DaskPlace(f"{_protocol(tls)}://{_checked(parts.netloc, resource)}", tls)
    else:
        found = DaskPlace(_address_in(asked["scheduler_file"]), tls)
    if not found.encrypted and not found.here:
        raise DescriptionError(
            f"resource={resource!r}: {found.address} is not encrypted, and the session's "
            "credentials would have to travel there. Join a cluster that uses TLS (name its "
            "files, tls_ca_file, tls_client_cert and tls_client_key, in the URL or in Dask's "
            "configuration), or one on this machine's loopback interface"
        )
    return found


def _checked(netloc: str, resource: str) -> str:
    host, _, port = netloc.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        raise DescriptionError(
            f"resource={resource!r}: {netloc!r} is no host and port; write {_EXAMPLES}"
        )
    return netloc


def _tls_files(asked: Mapping[str, str]) -> dict[str, str]:
    files = {key: asked[key] for key in _TLS if key in asked}
    for key, path in files.items():
        if not Path(path).is_file():
            raise DescriptionError(f"{key}={path!r}: there is no such file")
    return files


def _protocol(tls: Mapping[str, str]) -> str:
    import dask

    configured = dask.config.get("distributed.comm.tls.client.cert", None)
    return "tls" if tls or configured else "tcp"


def _address_in(path: str) -> str:
    try:
        found = json.loads(Path(path).read_text())["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DescriptionError(
            f"scheduler_file={path!r} cannot be read: {type(error).__name__}: {error}"
        ) from None
    if not isinstance(found, str) or not found.startswith(("tcp://", "tls://")):
        raise DescriptionError(
            f"scheduler_file={path!r}: its address is {found!r}, and not tls:// or tcp://"
        )
    return found
