"""On which addresses the agent listens: on loopback, until a pilot names an interface."""

import logging
from typing import Any

from pilot_kernel.errors import DescriptionError
from pilot_kernel.resource.reach.switchboard import in_use

__all__ = ["LOOPBACK", "Network", "address_of_interface"]

log = logging.getLogger("pilot_kernel.agent")

LOOPBACK = "127.0.0.1"


def address_of_interface(interface: str) -> str:
    """The IPv4 address of one of this machine's network interfaces.

    Raises:
        DescriptionError: There is no such interface; the message says which there are.
    """
    import psutil
    from distributed.utils import get_ip_interface

    try:
        return str(get_ip_interface(interface))
    except ValueError as error:
        there = ", ".join(sorted(psutil.net_if_addrs()))
        raise DescriptionError(
            f"interface={interface!r}: this machine has no such network interface with an IPv4 "
            f"address; it has {there}"
        ) from error


class Network:
    """The addresses of one agent; all its workers reach each other at one of them.

    Args:
        scheduler: The agent's scheduler, which listens on loopback.
        security: TLS settings of connections.

    Attributes:
        host: The IP address on which workers of this machine listen.
        scheduler: Where workers find the scheduler.
    """

    def __init__(self, scheduler: Any, security: Any) -> None:
        self.host = LOOPBACK
        self.scheduler: str = scheduler.address
        self._listens = scheduler
        self._security = security

    async def open(self, interface: str) -> bool:
        """Listen on an interface, too.

        Returns:
            Whether the addresses have changed, so that workers that listen on loopback cannot be
            reached by those to come.

        Raises:
            DescriptionError: There is no such interface, or another one is in use.
        """
        host = address_of_interface(interface)
        if host == self.host:
            return False
        if in_use(self._listens):
            raise DescriptionError(
                f"interface={interface!r}: this session has workers that are reached over SSH, and "
                "those only see what listens on loopback. Begin a session of its own"
            )
        if self.host != LOOPBACK:
            raise DescriptionError(
                f"interface={interface!r}: this session's workers reach each other at "
                f"{self.host}, through another interface; name that one, or begin a new session"
            )
        arguments = self._security.get_listen_args("scheduler")
        await self._listens.listen(f"tls://{host}:0", allow_offload=False, **arguments)
        self.host, self.scheduler = host, self._listens.listeners[-1].contact_address
        log.info("listening at %s for %s", self.scheduler, interface)
        return True
