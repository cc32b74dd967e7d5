"""What a session costs while nothing happens, counted in wake-ups: time depends on the machine."""

import time

import psutil

import pilot_kernel


def test_an_idle_agent_and_its_workers_seldom_wake_up(registry_home):
    with pilot_kernel.Session() as session:
        session.add_pilot("local://", cores_per_node=2)
        for number in range(4):
            session.submit(pow, number, 2).result(60)
        agent = psutil.Process(session._link.entry.pid)
        time.sleep(3)  # workers hear with their next heartbeat that they may call less often
        family = [agent, *agent.children(recursive=True)]
        before = [each.num_ctx_switches().voluntary for each in family]
        time.sleep(4)
        woken = [each.num_ctx_switches().voluntary for each in family]
        wakeups = sum(woken) - sum(before)
        assert wakeups < 4 * 40, [b - a for a, b in zip(before, woken, strict=True)]  # 270 untuned
