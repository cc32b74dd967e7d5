"""Which ports are forwarded where: every worker can be reached from every host, once."""

import socket

from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.resource.reach.ssh_line import SshLine
from pilot_kernel.resource.reach.ssh_target import SshTarget
from pilot_kernel.resource.reach.switchboard import Socket, free_ports, wanted

HOME = "home"


@st.composite
def boards(draw):
    """Lines to a few hosts, some several times, with ports of their own."""
    places = draw(st.lists(st.sampled_from([HOME, "a", "b", "c"]), max_size=6))
    sizes = draw(st.lists(st.integers(0, 3), min_size=len(places), max_size=len(places)))
    ports = iter(range(100, 200))
    sockets = [
        Socket(object(), place, frozenset(next(ports) for _ in range(size)))
        for place, size in zip(places, sizes, strict=True)
    ]
    return sockets, draw(st.sets(st.integers(1, 99), max_size=4))


@given(boards())
def test_a_port_means_the_same_everywhere(board):
    sockets, at_home = board
    plan = wanted(sockets, HOME, at_home)
    real = {(HOME, port) for port in at_home}
    real |= {(each.loopback, port) for each in sockets for port in each.ports}
    heard = [(HOME, port) for port in at_home]
    heard += [(each.loopback, port) for each in sockets for port in each.ports]
    for each, forwards in plan.items():
        for side, listening, to in forwards:
            assert listening == to
            heard.append((HOME if side == "L" else each.loopback, listening))
    assert len(heard) == len(set(heard))  # no port is taken twice on one loopback
    everywhere = {HOME, *(each.loopback for each in sockets)}
    assert set(heard) == {(place, port) for place in everywhere for _, port in real}


@given(boards())
def test_when_a_line_ends_another_does_its_work(board):
    sockets, at_home = board
    for gone in sockets:
        rest = [each for each in sockets if each is not gone]
        carried = wanted(rest, HOME, at_home)
        for place in {each.loopback for each in rest} - {HOME}:
            (carrier, *_) = [each for each in rest if each.loopback == place]
            assert {port for side, port, _ in carried[carrier] if side == "R"} >= at_home


def test_free_ports_are_free_and_not_spoken_for():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = free_ports(20, [20_000])
        assert len(set(found)) == 20
        assert all(20_000 < port < 32_000 for port in found)


def test_a_line_holds_no_key():
    async def made():
        return repr(vars(SshLine(SshTarget("node"))))

    import asyncio

    assert "KEY" not in asyncio.run(made())
