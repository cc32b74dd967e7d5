"""Results on their way to the agent's disk and from it, of any size, whatever breaks."""

import asyncio
import contextlib
import os
from types import SimpleNamespace

import numpy as np
import pytest
from distributed.core import ConnectionPool, Server
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pilot_kernel.errors import PilotError
from pilot_kernel.resource import worker_environment
from pilot_kernel.task import result_store, transfer
from pilot_kernel.task.result_store import ResultStore
from pilot_kernel.task.wire import results
from pilot_kernel.task.wire.filed import STRETCH_BYTES, Assembly, filed_size, stretches
from pilot_kernel.task.wire.packing import Packed, pack, unpack
from pilot_kernel.task.wire.results import Kept


class Agent:
    """A server with a store, and who talks to it."""

    def __init__(self):
        self.wanted = True
        self.kept = {}
        self.store = ResultStore(lambda key, sender: self.wanted, self._keep)
        self.server = Server(handlers=self.store.handlers())
        self.pool = ConnectionPool()
        self.node = SimpleNamespace(rpc=self.pool, id="client")

    def _keep(self, key, sender, kept):
        self.kept[key] = (sender, kept)

    async def __aenter__(self):
        await self.server.listen("tcp://127.0.0.1:0")
        await self.pool.start()
        self.node.scheduler = SimpleNamespace(address=self.server.address)
        return self

    async def __aexit__(self, *_):
        await self.pool.close()
        await self.server.close()


def run(work):
    """Run `work(agent)` beside an agent."""

    async def main():
        async with Agent() as agent:
            return await asyncio.wait_for(work(agent), 60)

    return asyncio.run(main())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The agent's folder for results."""
    monkeypatch.setenv(worker_environment.RESULTS, str(tmp_path))
    monkeypatch.setattr(transfer, "_PAUSE_S", 0.01)
    return tmp_path


def _same(one: Packed, other: Packed) -> bool:
    parts = [(bytes(p.header), *map(bytes, p.buffers)) for p in (one, other)]
    return parts[0] == parts[1]


sizes = st.one_of(
    st.integers(0, 200),
    st.integers(-2, 2).map(lambda off: results.SMALL_BYTES + off),
    st.integers(-9, 9).map(lambda off: STRETCH_BYTES + off),
    st.integers(-9, 9).map(lambda off: 2 * STRETCH_BYTES + off),
)


@given(st.lists(sizes, min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
@example([STRETCH_BYTES])
@example([0, 0])
@example([STRETCH_BYTES - 8, 2 * STRETCH_BYTES - 8])
def test_whatever_is_filed_is_put_together_again(lengths):
    packed = Packed(b"header", tuple(os.urandom(length) for length in lengths))
    stream = b"".join(map(bytes, stretches(packed)))
    assert len(stream) == filed_size(packed)
    whole = Assembly()
    for begin in range(0, len(stream), STRETCH_BYTES):
        whole.add(stream[begin : begin + STRETCH_BYTES])
    assert _same(whole.packed(), packed)
    torn = Assembly()
    torn.add(stream[:-1])
    if lengths[-1]:
        with pytest.raises(PilotError, match="damaged"):
            torn.packed()


@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize("base", [results.SMALL_BYTES, STRETCH_BYTES, 3 * STRETCH_BYTES])
def test_a_result_comes_back_as_it_was_sent(folder, base, off):
    packed = pack(np.frombuffer(os.urandom(base + off), "u1").copy())

    async def there_and_back(agent):
        kept = await transfer.put(agent.node, "key", packed)
        assert agent.kept == {"key": ("client", kept)}
        assert kept == Kept(str(folder / kept.name), packed.size)
        return await transfer.fetch_packed(agent.node, kept), results.read(kept)

    fetched, read = run(there_and_back)
    assert _same(fetched, packed)
    assert np.array_equal(unpack(fetched), unpack(packed))
    assert np.array_equal(read, unpack(packed))
    assert unpack(fetched).flags.writeable


def _sent(folder, size, **attributes):
    """What becomes of a result of so many bytes, and of the folder."""

    async def send(agent):
        for name, value in attributes.items():
            setattr(agent, name, value)
        return await transfer.put(agent.node, "key", pack(bytes(size)))

    return run(send), [file.name for file in folder.iterdir()]


def test_the_limits_are_those_of_results_that_are_written_here(folder, monkeypatch):
    assert _sent(folder, 100_000)[1] == [results.file_name("key")]
    (folder / results.file_name("key")).unlink()
    monkeypatch.setenv(results.TOTAL_VARIABLE, "90_000")
    assert _sent(folder, 100_000) == ("there is no room for it", [])
    assert isinstance(_sent(folder, 80_000)[0], Kept)
    assert _sent(folder, 80_000)[0] == "there is no room for it", "with the one that is there"
    monkeypatch.delenv(results.TOTAL_VARIABLE)
    monkeypatch.setattr(results, "EACH_BYTES", 90_000)
    assert _sent(folder, 100_000)[0] == "there is no room for it"


def test_what_nobody_wants_is_not_taken(folder):
    assert _sent(folder, 100_000, wanted=False) == (transfer.UNWANTED, [])


def test_what_nobody_wants_any_more_is_not_kept(folder):
    async def send(agent):
        asked = iter([True, False])
        agent.store._wanted = lambda key, sender: next(asked)
        said = await transfer.put(agent.node, "key", pack(bytes(10_000_000)))
        return said, agent.kept, agent.store.coming

    assert run(send) == (transfer.UNWANTED, {}, set())
    assert not list(folder.iterdir())


def test_who_goes_amid_sending_leaves_nothing(folder):
    async def break_off(agent):
        packed = pack(bytes(10_000_000))
        async with contextlib.AsyncExitStack() as stack:
            line = await stack.enter_async_context(transfer._Line(agent.node))
            sizes = {"size": packed.size, "filed": filed_size(packed), "sender": "gone"}
            await line.comm.write({"op": transfer.PUT, "key": "key", **sizes})
            for stretch in list(stretches(packed))[:3]:
                assert await line.read() == transfer.NEXT
                await line.comm.write(bytes(stretch))
            assert await line.read() == transfer.NEXT
            (draft,) = folder.iterdir()
            assert draft.stat().st_size == filed_size(packed), "its room is taken already"
            assert agent.store.coming == {"key"}
            line.comm.abort()
        while agent.store.coming:
            await asyncio.sleep(0.01)
        return agent.kept

    assert run(break_off) == {}
    assert not list(folder.iterdir())


def test_who_falls_silent_does_not_hold_up_the_others(folder, monkeypatch):
    monkeypatch.setattr(result_store, "_PATIENCE_S", 0.3)

    async def freeze(agent):
        kept = await transfer.put(agent.node, "key", pack(bytes(10_000_000)))
        silent = []
        for _ in range(2 * result_store._AT_ONCE):
            comm = await agent.pool.connect(agent.server.address)
            await comm.write({"op": transfer.GET, "name": kept.name})
            silent.append(comm)
        fetched = await transfer.fetch_packed(agent.node, kept)
        for comm in silent:
            comm.abort()
        return fetched

    assert len(unpack(run(freeze))) == 10_000_000


def test_a_full_disk_is_told_and_leaves_nothing(folder, monkeypatch):
    class Full(results.Draft):
        def write(self, stretch):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(result_store, "Draft", Full)
    said, left = _sent(folder, 100_000)
    assert said == "there is no room for it: No space left on device"
    assert left == []


@pytest.mark.parametrize(
    "name", ["../secret", "a" * 32, "", "A" * 32, results.file_name("x") + "/"]
)
def test_only_results_are_given_out(folder, name):
    (folder.parent / "secret").write_text("secret")

    async def ask(agent):
        await transfer.fetch_packed(agent.node, Kept(f"/nowhere/{name}", 1))

    async def ask_so(agent):
        async with transfer._Line(agent.node) as line:
            await line.comm.write({"op": transfer.GET, "name": name})
            return await line.read()

    with pytest.raises(PilotError, match="is gone"):
        run(ask)
    assert run(ask_so) is None


def test_what_belongs_to_somebody_else_is_not_opened(folder, monkeypatch):
    kept = results.write(pack(bytes(100_000)), str(folder), "key", "me")
    assert results.is_here(kept)
    assert results.home() == str(folder)
    link = folder / "link"
    link.symlink_to(kept.path)
    assert not results.is_here(Kept(str(link), 1)), "a link may lead anywhere"
    with pytest.raises(OSError, match="symbolic links"):
        results.read(Kept(str(link), 1))
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert not results.is_here(kept)
    assert results.home() is None
    with pytest.raises(PilotError, match="is gone"):
        results.read(kept)
