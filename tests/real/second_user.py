"""What another user of this machine can do to a session: a process takes another uid and tries.

    tried = try_all(attempt)       # as user 65534; with uid=None as oneself, to see what is let in

Everything is imported before the uid changes, since the checkout may be closed to other users.
"""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

NOBODY = 65534
_PATIENCE_S = 3.0  # with those who are to be kept out
_LET_IN_S = 20.0
_TLS_ALERT = 0x15


@dataclass(frozen=True)
class Attempt:
    """What is tried.

    Attributes:
        paths: Files, folders and sockets, looked at, opened, listed, or connected to.
        ports: Host and port, connected to in every way that comes to mind.
        credentials: Folder of the session's own credentials, if they are to be used.
    """

    paths: list[str] = field(default_factory=list)
    ports: list[tuple[str, int]] = field(default_factory=list)
    credentials: str | None = None


@dataclass(frozen=True)
class Tried:
    """What was possible, each a line: nothing, if all is well; and how much was tried."""

    files: list[str]
    ports: list[str]
    count: int


def try_all(attempt: Attempt, uid: int | None = NOBODY, *inside: str) -> Tried:
    """Try in a process of another user.

    Args:
        attempt: What.
        uid: Whose process; None for one's own.
        *inside: What the process is started by, such as `nsenter` and the network to enter.
    """
    done = subprocess.run(
        [*inside, sys.executable, "-m", "tests.real.second_user", "" if uid is None else str(uid)],
        input=json.dumps(asdict(attempt)),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return Tried(**json.loads(done.stdout))


def _possible(path: str) -> list[str]:
    """What can be done with a path by somebody who is not its owner."""
    found = []
    with contextlib.suppress(OSError):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(path)
        found.append(f"connect to {path}")
    for name, flags in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
        with contextlib.suppress(OSError):
            os.close(os.open(path, flags | os.O_NONBLOCK))
            found.append(f"{name} {path}")
    with contextlib.suppress(OSError):
        found.append(f"list {path}: {os.listdir(path)}")
    with contextlib.suppress(OSError):
        made = os.path.join(path, "made-by-another")
        os.mkdir(made)
        found.append(f"make {made}")
    return found


def _answers(host: str, port: int, context: ssl.SSLContext | None) -> bytes:
    """What a port says to somebody who asks for a page, with TLS or without."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), _PATIENCE_S) as raw:
        line = raw if context is None else context.wrap_socket(raw)
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return line.recv(1000)
    return b""


def _context(certificate: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


async def _speaks(host: str, port: int, security, patience_s: float) -> bool:
    """Whether a Dask server of ours answers a call."""
    from distributed.core import rpc

    settings = security.get_connection_args("client")
    address = f"tls://{host}:{port}"
    try:
        async with rpc(address, timeout=patience_s, connection_args=settings) as server:
            return bool(await asyncio.wait_for(server.identity(), patience_s))
    except Exception:  # noqa: BLE001 however it is refused
        return False


def _ways_in(host: str, port: int, own: Path, security, forged) -> list[str]:
    """The ways in which a port lets somebody in."""
    found = []
    told = _answers(host, port, None)
    if told and told[0] != _TLS_ALERT:
        found.append(f"{host}:{port} answers without TLS: {told[:40]!r}")
    for name, certificate in (("no", None), ("a self-made", own)):
        if told := _answers(host, port, _context(certificate)):
            found.append(f"{host}:{port} answers with {name} certificate: {told[:40]!r}")
    for name, each, patience_s in (
        ("forged", forged, _PATIENCE_S),
        ("given", security, _LET_IN_S),
    ):
        if each is not None and asyncio.run(_speaks(host, port, each, patience_s)):
            found.append(f"{host}:{port} answers a call with the {name} credentials")
    return found


def main() -> None:
    """Read what to try from standard input, become the other user, try, and tell."""
    import tempfile

    import distributed.comm.tcp
    import distributed.core
    from distributed.security import Security

    from pilot_kernel.resource import credentials

    attempt = Attempt(**json.load(sys.stdin))
    given = None if attempt.credentials is None else credentials.load(Path(attempt.credentials))
    made = Security.temporary()
    folder = Path(tempfile.mkdtemp())
    if sys.argv[1]:
        os.chown(folder, int(sys.argv[1]), int(sys.argv[1]))
        os.setgroups([])
        os.setgid(int(sys.argv[1]))
        os.setuid(int(sys.argv[1]))
    own = folder / "own.pem"
    own.write_text(made.tls_scheduler_cert + made.tls_scheduler_key)
    files = [line for path in attempt.paths for line in _possible(path)]
    ports = [
        line for host, port in attempt.ports for line in _ways_in(host, port, own, given, made)
    ]
    own.unlink()
    with contextlib.suppress(OSError):  # its parent is not always ours any more
        folder.rmdir()
    assert distributed.core
    assert distributed.comm.tcp
    print(json.dumps(asdict(Tried(files, ports, len(attempt.paths) + len(attempt.ports)))))


if __name__ == "__main__":
    main()
