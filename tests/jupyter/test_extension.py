"""The extension: loaded and unloaded, a kernel that is killed, restarted or shut down."""

import os
import signal

import psutil

from pilot_kernel.resource import registry
from tests.conftest import wait_until

HOLD = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.01)\n"


def test_the_extension_can_be_unloaded_and_loaded(run):
    run("%unload_ext pilot_kernel")
    assert "ctask" not in run.shell.magics_manager.magics["cell"]
    run("%load_ext pilot_kernel")
    assert run("%%ctask\n2") == 2


def _agent(name):
    return registry.find(name)


def test_a_killed_kernel_s_task_is_found_by_the_next(new_kernel, tmp_path):
    name, gate = str(tmp_path / "book.ipynb"), str(tmp_path / "gate")
    first = new_kernel(name)
    first.run(f"%%ctask --noblock --name survivor -o kept\n{HOLD.format(gate)}kept = 3\n'alive'")
    first.run("%pilot")
    wait_until(lambda: "RUNNING" in first.run("%tasks").result)
    os.kill(first.manager.provisioner.pid, signal.SIGKILL)
    wait_until(lambda: not first.manager.is_alive())
    first.client.stop_channels()
    first.manager.cleanup_resources()
    second = new_kernel(name)
    assert "attached to this notebook's agent" in second.run("1").text()
    open(gate, "w").close()
    assert second.run("%qresult survivor").result == "'alive'"
    assert second.run("kept").result == "3"
    second.end()
    wait_until(lambda: _agent(name) is None)


def test_a_restart_keeps_the_agent_and_a_shutdown_takes_it_along(new_kernel, tmp_path):
    name = str(tmp_path / "book.ipynb")
    kernel = new_kernel(name)
    assert kernel.run("%%ctask\n1").result == "1"
    agent = psutil.Process(_agent(name).pid)
    kernel.client.stop_channels()
    kernel.manager.restart_kernel()
    kernel.client = kernel.manager.client()
    kernel.client.start_channels()
    kernel.client.wait_for_ready(timeout=60)
    assert _agent(name).pid == agent.pid
    assert kernel.run("%%ctask\n2").result == "2"
    family = [agent, *agent.children(recursive=True)]
    kernel.end()
    wait_until(lambda: not any(process.is_running() for process in family))
    assert _agent(name) is None


def test_a_cell_that_comes_early_adds_its_pilot_to_the_notebook_s_own(new_kernel, tmp_path):
    kernel = new_kernel(str(tmp_path / "early.ipynb"))
    answer = kernel.run(
        "import pilot_kernel\nsession = pilot_kernel.session()\n"
        "session.add_pilot('qpu://fake_manila')\n[each.name for each in session.pilots]"
    )
    assert answer.result == "['local', 'fake_manila']"
    assert kernel.run("session.submit(pow, 2, 5).result()").result == "32"
    kernel.end()


def test_where_agents_are_not_welcome_none_is_started(new_kernel, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOT_KERNEL_AUTOSTART", "0")
    name = str(tmp_path / "book.ipynb")
    kernel = new_kernel(name)
    assert "no session is open" in kernel.run("%pilot").result
    assert _agent(name) is None
    assert kernel.run("%%ctask\n1").result == "1"
    assert _agent(name) is not None
    kernel.end()
    wait_until(lambda: _agent(name) is None)
