"""What is said of somebody's Dask cluster when the line to it is cut, however far that has come."""

import asyncio

import pytest
from distributed import Client, Scheduler

from pilot_kernel.resource.reach import dask_guest
from pilot_kernel.resource.reach.dask_guest import connected
from pilot_kernel.resource.reach.dask_place import DaskPlace
from pilot_kernel.resource.reach.host_error import HostError


async def _nothing(client: Client) -> None:
    """Their scheduler is gone, and the client tries to reach it again."""


async def _given_up_soon(client: Client) -> None:
    """It gives up while it is asked something."""
    asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(client.close()))


async def _given_up(client: Client) -> None:
    """It has given up."""
    await client.close()


@pytest.mark.parametrize("further", [_nothing, _given_up_soon, _given_up])
def test_a_line_that_is_cut_is_told_as_such(further, monkeypatch):
    monkeypatch.setattr(dask_guest, "_CONNECT_S", 1.0)

    async def cut():
        async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
            place = DaskPlace(address=scheduler.address)
            async with connected(place) as client:
                await scheduler.close()
                await further(client)
                while True:
                    await client.ncores()
                    await asyncio.sleep(0.01)

    with pytest.raises(HostError, match=r"^Dask cluster tcp://.*: the connection was lost \("):
        asyncio.run(cut())


def test_errors_that_are_no_fault_of_the_line_s_stay_what_they_are():
    async def fail():
        async with (
            Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler,
            connected(DaskPlace(address=scheduler.address)),
        ):
            raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        asyncio.run(fail())
