"""No port but those that speak TLS, until somebody wants pages."""

import asyncio
import urllib.error
import urllib.request

import psutil
import pytest
from distributed.security import Security

from pilot_kernel.resource.agent.scheduler import AgentScheduler
from tests.conftest import wait_until


def test_a_session_listens_once_for_each_of_its_servers(session):
    wait_until(lambda: all(pilot.status.workers == pilot.status.wanted for pilot in session.pilots))
    agent = psutil.Process(session._link.entry.pid)
    processes = [agent, *agent.children(recursive=True)]
    lines = [line for process in processes for line in process.net_connections("inet")]
    listening = {line.laddr for line in lines if line.status == psutil.CONN_LISTEN}
    workers = sum(pilot.status.workers for pilot in session.pilots)
    assert workers >= 2
    assert len(listening) == 1 + 2 * workers  # a nanny for each
    assert {host for host, _ in listening} == {"127.0.0.1"}


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
