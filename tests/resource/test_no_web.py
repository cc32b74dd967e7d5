"""No port but those that speak TLS, until somebody wants pages."""

import asyncio
import contextlib
import urllib.error
import urllib.request

import psutil
import pytest
from distributed.security import Security

from pilot_kernel.resource.agent.scheduler import AgentScheduler
from tests.conftest import wait_until


def test_a_session_listens_once_for_each_of_its_servers(session):
    def workers():
        """How many there are, when all are up."""
        statuses = session.pilot_statuses()
        there = sum(status.workers for status in statuses)
        return there if all(status.workers == status.wanted for status in statuses) else 0

    wait_until(workers)
    assert workers() >= 2
    # What other tests have ended may be on its way out.
    wait_until(lambda: len(listening(session)) == 1 + 2 * workers())  # a nanny for each
    assert {host for host, _ in listening(session)} == {"127.0.0.1"}


def listening(session):
    """Where the processes of a session's agent listen."""
    agent = psutil.Process(session._link.entry.pid)
    found = set()
    for process in [agent, *agent.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            lines = process.net_connections("inet")
            found |= {line.laddr for line in lines if line.status == psutil.CONN_LISTEN}
    return found


def test_pages_can_be_had_all_the_same():
    async def told():
        options = {"security": Security.temporary(), "dashboard": False}
        async with AgentScheduler(
            host="127.0.0.1", port=0, protocol="tls://", **options
        ) as scheduler:
            server = scheduler.http_server
            assert not server._sockets
            server.listen(0, address="127.0.0.1")
            ((_, port),) = [each.getsockname() for each in server._sockets.values()]
            with pytest.raises(urllib.error.HTTPError, match="404"):
                await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/no-such")
            server.stop()

    asyncio.run(told())
