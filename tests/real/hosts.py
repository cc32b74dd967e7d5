"""Hosts on this machine, for tests: network namespaces on a bridge, with an SSH server each.

    with ssh_hosts(4) as hosts:  # or the fixture `hosts` of tests/real/conftest.py
        session.add_pilot(hosts.url(0, 1), ...)  # ssh://one,two
        hosts.cut(0)  # its link is down
        hosts.mend(0)
        hosts.processes(0)  # what runs there, but for the SSH server itself

They have this machine's files and processes, and networks of their own, loopback included. While
they are there, `ssh` on the path is a script that knows them and their keys; nobody's own
configuration is read or changed. `missing()` says what has to be installed. It needs root.
"""

import contextlib
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.conftest import wait_until

__all__ = ["Hosts", "missing", "ssh_hosts"]

ROOT = Path(__file__).resolve().parents[2]
_PROGRAMS = ("ssh", "sshd", "ssh-keygen", "ip", "nsenter")
_SBIN = ":/usr/sbin:/sbin"
_PORT = 22
_HERE = 22022  # for this machine, which may have a server of its own
_SERVER = {
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "StrictModes": "no",
    "UsePAM": "no",
    "PermitRootLogin": "prohibit-password",
    "LogLevel": "ERROR",
}


def missing() -> str | None:
    """Why there can be no hosts here; None if there can."""
    path = os.environ["PATH"] + _SBIN
    absent = [name for name in _PROGRAMS if shutil.which(name, path=path) is None]
    if absent:
        packages = "openssh-server openssh-client iproute2"
        return f"hosts need {', '.join(absent)}: apt-get install {packages}"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"pilot-try-{os.getpid()}"  # one that was killed amid this has left its own behind
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "delete", name], capture_output=True)
    return None if tried.returncode == 0 else f"no network namespaces here: {tried.stderr.strip()}"


def _run(*words: str) -> str:
    environment = {**os.environ, "PATH": os.environ["PATH"] + _SBIN}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Hosts:
    """Several hosts, and the folder with their keys.

    Attributes:
        folder: Where keys and configuration are.
        tag: What the names of their network devices begin with.
        subnet: The first three numbers of their addresses; this machine is number 1.
        names: What `ssh` calls them.
    """

    folder: Path
    tag: str
    subnet: str
    names: tuple[str, ...]

    def url(self, *numbers: int) -> str:
        """Some of them, or all, as a pilot's resource."""
        return f"ssh://{','.join(self.names[k] for k in numbers or range(len(self.names)))}"

    def address(self, number: int) -> str:
        """A host's address on the bridge."""
        return f"{self.subnet}.{number + 11}"

    def namespace(self, number: int) -> str:
        """The name of a host's network namespace."""
        return f"{self.tag}{number}"

    @property
    def here(self) -> str:
        """This machine itself, as a pilot's resource; `serve_here` has to be called before."""
        return f"ssh://{self.tag}-here"

    def cut(self, number: int) -> None:
        """Take a host's link down."""
        _run("ip", "link", "set", f"{self.tag}v{number}", "down")

    def mend(self, number: int) -> None:
        """Bring a host's link up again."""
        _run("ip", "link", "set", f"{self.tag}v{number}", "up")

    def run(self, number: int, *words: str) -> str:
        """Run a command in a host's network."""
        return _run("nsenter", f"--net=/run/netns/{self.namespace(number)}", *words)

    def processes(self, number: int) -> list[psutil.Process]:
        """What runs on a host, but for the SSH server that listens there."""
        mine = os.stat(f"/run/netns/{self.namespace(number)}").st_ino
        server, found = self._server(number), []
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                here = os.stat(f"/proc/{process.pid}/ns/net").st_ino == mine
                zombie = process.status() == psutil.STATUS_ZOMBIE
                if here and not zombie and process.pid != server:
                    found.append(process)
        return found

    def _server(self, number: int) -> int | None:
        """Its process, if there is one: the file is there after it listens, and goes as it ends."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int((self.folder / f"sshd{number}.pid").read_text())
        return None

    # ---- setting up and taking down

    def make(self) -> None:
        """Make keys and configuration, a bridge, and the hosts."""
        Path("/run/sshd").mkdir(exist_ok=True)
        for key in ("host", "user"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / key))
        host_key = " ".join((self.folder / "host.pub").read_text().split()[:2])
        known = [f"{self.address(n)} {host_key}\n" for n in range(len(self.names))]
        known.append(f"[{self.subnet}.1]:{_HERE} {host_key}\n")
        (self.folder / "known_hosts").write_text("".join(known))
        configured = [
            self._configured(name, self.address(number), _PORT)
            for number, name in enumerate(self.names)
        ]
        configured.append(self._configured(f"{self.tag}-here", f"{self.subnet}.1", _HERE))
        (self.folder / "config").write_text("\n".join(configured))
        self.wrap_ssh()
        _run("ip", "link", "add", f"{self.tag}br", "type", "bridge")
        _run("ip", "addr", "add", f"{self.subnet}.1/24", "dev", f"{self.tag}br")
        _run("ip", "link", "set", f"{self.tag}br", "up")
        for number in range(len(self.names)):
            self._make_host(number)

    def _configured(self, name: str, address: str, port: int) -> str:
        return (
            f"Host {name}\n  HostName {address}\n  Port {port}\n"
            f"  User root\n  IdentityFile {self.folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/known_hosts\n  StrictHostKeyChecking yes\n"
        )

    def wrap_ssh(self) -> None:
        """Write the `ssh` that knows the hosts."""
        program = shutil.which("ssh")
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        wrapper = folder / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {program} -F {self.folder}/config "$@"\n')
        wrapper.chmod(0o755)

    def _make_host(self, number: int) -> None:
        space, outer, inner = self.namespace(number), f"{self.tag}v{number}", f"{self.tag}w{number}"
        _run("ip", "netns", "add", space)
        _run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
        _run("ip", "link", "set", outer, "master", f"{self.tag}br", "up")
        for words in (
            ["link", "set", "lo", "up"],
            ["addr", "add", f"{self.address(number)}/24", "dev", inner],
            ["link", "set", inner, "up"],
        ):
            self.run(number, "ip", *words)
        self.serve(number)

    def serve(self, number: int, **options: str) -> None:
        """Start a host's SSH server.

        Args:
            number: Which host.
            **options: Options of the server.
        """
        options["ListenAddress"] = self.address(number)
        self.run(number, *self._server_line(f"sshd{number}.pid", options))
        wait_until(lambda: self._answers(number) and self._server(number) is not None)

    def _server_line(self, pid: str, options: dict[str, str]) -> list[str]:
        program = shutil.which("sshd", path=os.environ["PATH"] + _SBIN)
        files = {
            "PidFile": str(self.folder / pid),
            "AuthorizedKeysFile": str(self.folder / "user.pub"),
            "SetEnv": f"PYTHONPATH={ROOT}",
        }
        named = {**_SERVER, **files, **options}
        words = [word for key, value in named.items() for word in ("-o", f"{key}={value}")]
        return [str(program), "-f", "/dev/null", "-h", str(self.folder / "host"), *words]

    @contextlib.contextmanager
    def serve_here(self) -> Iterator[None]:
        """Have an SSH server on this machine, too, for a while."""
        options = {"ListenAddress": f"{self.subnet}.1", "Port": str(_HERE)}
        with subprocess.Popen([*self._server_line("here.pid", options), "-D"]) as server:
            try:
                wait_until(lambda: f"{self.subnet}.1:{_HERE}" in _run("ss", "-ltn"))
                yield
            finally:
                server.terminate()

    def _answers(self, number: int) -> bool:
        with contextlib.suppress(AssertionError, FileNotFoundError):
            return f"{self.address(number)}:{_PORT}" in self.run(number, "ss", "-ltn")
        return False

    def stop(self, number: int) -> None:
        """End a host's SSH server; connections go on."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if (pid := self._server(number)) is not None:
                server = psutil.Process(pid)
                server.terminate()
                server.wait(10)

    def remove(self) -> None:
        """End all that runs on the hosts, and remove them."""
        for number in range(len(self.names)):
            with contextlib.suppress(FileNotFoundError):
                self.stop(number)
                left = self.processes(number)
                for process in left:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                psutil.wait_procs(left, timeout=10)
            subprocess.run(["ip", "link", "delete", f"{self.tag}v{number}"], capture_output=True)
            subprocess.run(["ip", "netns", "delete", self.namespace(number)], capture_output=True)
        subprocess.run(["ip", "link", "delete", f"{self.tag}br"], capture_output=True)


@contextlib.contextmanager
def ssh_hosts(count: int) -> Iterator[Hosts]:
    """Have so many hosts for a while."""
    folder = Path(tempfile.mkdtemp(prefix="pilot-ssh-"))
    tag = f"pk{os.getpid() % 100_000}"
    subnet = f"10.{random.randrange(100, 250)}.{random.randrange(1, 250)}"
    names = tuple(f"{tag}-{chr(ord('a') + number)}" for number in range(count))
    hosts = Hosts(folder, tag, subnet, names)
    path = os.environ["PATH"]
    try:
        hosts.make()
        os.environ["PATH"] = f"{folder / 'bin'}:{path}"
        yield hosts
    finally:
        os.environ["PATH"] = path
        hosts.remove()
        shutil.rmtree(folder, ignore_errors=True)
