"""What `ssh` prints, as recorded, in words that say what to do."""

import pytest

from pilot_kernel.resource.host.protocol import REFUSAL
from pilot_kernel.resource.reach.ssh_errors import explain
from pilot_kernel.resource.reach.ssh_target import SshTarget

HOST = SshTarget("node", "me")

CHANGED = """
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Offending ED25519 key in /home/me/.ssh/known_hosts:3
Host key for node has changed and you have requested strict checking.
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("errors", "complaint", "final"),
    [
        (CHANGED, r"not the one that is known \(/home/me/.ssh/known_hosts:3\)", True),
        ("No ED25519 host key is known\nHost key verification failed.", "connect once", True),
        ("me@node: Permission denied (publickey).", "refused your key", True),
        ("ssh: Could not resolve hostname node: Name or service not known", "no host of", False),
        ("ssh: connect to host node port 22: Connection refused", "no SSH server", False),
        ("ssh: connect to host node port 22: Connection timed out", "does not answer", False),
        ("ssh: connect to host node port 22: No route to host", "no route", False),
        ("Timeout, server node not responding.", "ended: Timeout, server", False),
        ("kex_exchange: Connection closed by remote host", "closed the connection", False),
        ("", "the connection ended", False),
    ],
)
def test_causes_are_named(errors, complaint, final):
    error = explain(HOST, [], errors.splitlines())
    assert error.final is final
    with pytest.raises(type(error), match=f"^host me@node: .*{complaint}"):
        raise error


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"{REFUSAL}no Python: tried python3", "there is no Python .tried python3.*python="),
        (f"{REFUSAL}no pilot_kernel: /bin/python (Python 3.9) says: X", "Python 3.9.*says: X"),
    ],
)
def test_what_the_other_shell_misses_is_named(line, complaint):
    error = explain(HOST, ["Welcome!", line], [])
    assert error.final
    with pytest.raises(type(error), match=complaint):
        raise error
