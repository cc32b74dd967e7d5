"""The hosts that a URL names: every form right, or refused before anything is connected."""

import pytest

from pilot_kernel import PilotDescription
from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.kind import by_scheme
from pilot_kernel.resource.reach.ssh_target import SshTarget, targets


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("ssh://node", [SshTarget("node")]),
        ("ssh://me@node.site.org:2222", [SshTarget("node.site.org", "me", 2222)]),
        ("ssh://one,two,three", [SshTarget("one"), SshTarget("two"), SshTarget("three")]),
        ("ssh://me@one,two:22", [SshTarget("one", "me"), SshTarget("two", "me", 22)]),
        ("ssh://me@one,you@two", [SshTarget("one", "me"), SshTarget("two", "you")]),
        ("ssh://10.0.0.7", [SshTarget("10.0.0.7")]),
        ("ssh://[fe80::1]:22", [SshTarget("[fe80::1]", None, 22)]),
        ("ssh://a.b@site@node", [SshTarget("node", "a.b@site")]),
    ],
)
def test_hosts_are_read(url, hosts):
    assert targets(url) == (hosts, None)


def test_a_python_is_read():
    assert targets("ssh://node?python=/opt/env/bin/python")[1] == "/opt/env/bin/python"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("ssh://", "names no host"),
        ("ssh://one,,two", "names no host"),
        ("ssh://one,", "names no host"),
        ("ssh://me@", "names no host"),
        ("ssh://-oProxyCommand=x", "no name of a host"),
        ("ssh://one,-v", "no name of a host"),
        ("ssh://-l@node", "no name of a user"),
        ("ssh://no de", "no name of a host"),
        ("ssh://$(id)", "no name of a host"),
        ("ssh://me:secret@node", "a password has no place in a URL"),
        ("ssh://node:0", "'0' is no port"),
        ("ssh://node:65536", "'65536' is no port"),
        ("ssh://node:ssh", "'ssh' is no port"),
        ("ssh://node/home", "no path behind it"),
        ("ssh://node?pyton=3", "a host has no 'pyton'"),
        ("ssh://node?python=", "is no path of a program"),
        ("ssh://" + ",".join(f"n{k}" for k in range(300)), "300 hosts; 256 at most"),
    ],
)
def test_what_cannot_be_is_refused(url, complaint):
    with pytest.raises(DescriptionError, match=complaint) as caught:
        by_scheme.check_description(PilotDescription(resource=url))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"number_of_nodes": 2}, "number_of_nodes=2: the URL names the hosts"),
        ({"cores_per_node": 2, "cores_per_worker": 3}, "more than cores_per_node=2"),
        ({"queue": "short"}, "queue='short': a ssh:// pilot has no use"),
        ({"walltime": 30}, "walltime=30: a ssh:// pilot has no use"),
        ({"interface": "lo"}, "interface='lo': a ssh:// pilot has no use"),
    ],
)
def test_keys_that_contradict_a_host_are_refused(keys, complaint):
    with pytest.raises(DescriptionError, match=complaint):
        by_scheme.check_description(PilotDescription(resource="ssh://node", **keys))
