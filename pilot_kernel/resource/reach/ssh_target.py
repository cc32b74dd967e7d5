"""The hosts that an `ssh://` URL names."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from pilot_kernel.errors import DescriptionError

__all__ = ["SshTarget", "targets"]

_MOST_HOSTS = 256
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?")
_HOST = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?\]"
)
_EXAMPLES = "ssh://user@host, ssh://host:2222, ssh://one,two,three"


@dataclass(frozen=True)
class SshTarget:
    """One host, as it is given to `ssh`.

    Attributes:
        host: Its name, an alias of your `~/.ssh/config`, or its address.
        user: Who to be there; what `ssh` takes by itself if None.
        port: The port of the SSH server; what `ssh` takes by itself if None.
    """

    host: str
    user: str | None = None
    port: int | None = None

    @property
    def words(self) -> list[str]:
        """What names it in a command line of `ssh`."""
        port = [] if self.port is None else ["-p", str(self.port)]
        user = [] if self.user is None else ["-l", self.user]
        return [*port, *user, "--", self.host.strip("[]")]

    def __str__(self) -> str:
        user = "" if self.user is None else f"{self.user}@"
        return f"{user}{self.host}" + ("" if self.port is None else f":{self.port}")


def targets(resource: str) -> tuple[list[SshTarget], str | None]:
    """The hosts of a URL, and the Python that it names.

    Args:
        resource: `ssh://user@host:port,…?python=/path/to/python`; a user that is named once, at
            the beginning, is the user of all hosts.

    Raises:
        DescriptionError: It names none, or one that cannot be.
    """
    parts = urlsplit(resource)
    if parts.path.strip("/") or parts.fragment:
        raise DescriptionError(
            f"resource={resource!r}: a host, and no path behind it; write {_EXAMPLES}"
        )
    found: list[SshTarget] = []
    for text in parts.netloc.split(","):
        found.append(_target(text, resource, found[0].user if found else None))
    if len(found) > _MOST_HOSTS:
        raise DescriptionError(
            f"resource names {len(found)} hosts; {_MOST_HOSTS} at most, each has a connection"
        )
    return found, _python(parts.query, resource)


def _target(text: str, resource: str, user: str | None) -> SshTarget:
    named, at, place = text.rpartition("@")
    host, colon, number = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not colon:
        host = place
    if not host:
        raise DescriptionError(f"resource={resource!r} names no host; write {_EXAMPLES}")
    if at and ":" in named:
        raise DescriptionError(
            f"resource: a password has no place in a URL; host {host} has to let in one of your "
            "SSH keys"
        )
    if not _HOST.fullmatch(host):
        raise DescriptionError(f"resource={resource!r}: {host!r} is no name of a host")
    if at and not _USER.fullmatch(unquote(named)):
        raise DescriptionError(f"resource={resource!r}: {named!r} is no name of a user")
    if colon and not (number.isdecimal() and len(number) < 6 and 0 < int(number) < 65536):
        raise DescriptionError(f"resource={resource!r}: {number!r} is no port")
    return SshTarget(host, unquote(named) if at else user, int(number) if colon else None)


def _python(query: str, resource: str) -> str | None:
    asked = parse_qs(query, keep_blank_values=True)
    for key in asked:
        if key != "python":
            raise DescriptionError(
                f"resource={resource!r}: a host has no {key!r}; what can be said is "
                "?python=/path/to/python"
            )
    python = asked.get("python", [""])[-1]
    if "python" in asked and not (python.strip() and python.isprintable()):
        raise DescriptionError(f"resource={resource!r}: python={python!r} is no path of a program")
    return python or None
