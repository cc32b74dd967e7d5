"""An agent leaves when nobody needs it, whatever fails in the meantime."""

import asyncio
from types import SimpleNamespace

import pytest

from pilot_kernel.resource import registry
from pilot_kernel.resource.agent.agent import Agent


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """One without scheduler and pilots; nobody is attached, and there is no work."""
    monkeypatch.setenv("PILOT_KERNEL_HOME", str(tmp_path))
    entry, _ = registry.claim("kept", 0.2)
    made = Agent(entry, (entry.pid, entry.started), ())
    made.cluster = SimpleNamespace(scheduler=SimpleNamespace(people=list))
    made.roster = SimpleNamespace(has_work=lambda: False, workers=dict)
    made.upkeep = SimpleNamespace(look=lambda: None)
    made.deserted.met()  # who started it has come, and has gone again
    yield made
    registry.forget(entry)


def broken():
    raise RuntimeError("Set changed size during iteration")


def test_a_fault_in_looking_after_pilots_does_not_keep_it(agent, caplog):
    agent.upkeep.look = broken
    asyncio.run(agent._watch())
    assert agent.why == "no client and no work for 0.2 s"
    assert agent.leave.is_set()
    assert "Set changed size during iteration" in caplog.text


def test_nor_does_a_fault_end_what_is_told_of_workers(agent):
    looks = []

    async def a_while():
        agent.monitor = SimpleNamespace(sample=lambda *_: broken())
        agent.chronicle = SimpleNamespace(look=lambda: looks.append(1))
        watch = asyncio.create_task(agent._sample())
        while not looks:
            await asyncio.sleep(0)
        assert not watch.done()
        watch.cancel()

    asyncio.run(a_while())


def test_it_leaves_if_the_watch_itself_fails(agent, caplog):
    async def failing():
        agent.roster.has_work = broken
        watch = asyncio.create_task(agent._watch())
        watch.add_done_callback(agent._ended)
        await asyncio.wait_for(agent.leave.wait(), 20)
        assert watch.done()

    asyncio.run(failing())
    assert "a watch of the agent failed" in agent.why
    assert "a watch of the agent failed" in caplog.text
