"""A real IPython shell in this process, and real kernels in others."""

import contextlib
import importlib
import os
import re
import tempfile
import time
from dataclasses import dataclass, field

import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from pilot_kernel.__main__ import main
from pilot_kernel.jupyter.show import live_output
from pilot_kernel.sessions.current import current, use

wait_module = importlib.import_module("pilot_kernel.jupyter.magics.wait")

PATIENCE_S = 60
USUAL_S = 1.0
"""After how long a cell that waits shows a card, if nothing else is said."""


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """What is live waits for its first content, and then shows no gauges for their own sake."""
    monkeypatch.setattr(live_output, "_FIRST_WAIT_S", PATIENCE_S)
    monkeypatch.setattr(live_output, "_GAUGES_EVERY_S", 600.0)


@pytest.fixture
def own_cache(monkeypatch, tmp_path_factory):
    """What a notebook measures of this machine, amid other tests, is not kept for its user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="package")
def shell(session, tmp_path_factory):
    """A shell with the extension loaded, on the session that all tests share."""
    config = Config()
    config.HistoryManager.enabled = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        made = InteractiveShell.instance(config=config)
    before = current()
    use(session)
    made.run_line_magic("load_ext", "pilot_kernel")
    yield made
    made.run_line_magic("unload_ext", "pilot_kernel")
    use(before)
    InteractiveShell.clear_instance()


class Patient(wait_module._LateView):
    """A card that no cell has by itself, however slow the machine is; `--progress-after` counts."""

    def __init__(self, task, after_s):
        super().__init__(task, 600.0 if after_s == USUAL_S else after_s)


@pytest.fixture
def run(shell, session, capsys, monkeypatch):
    """Run a cell, with a clean namespace before it; `run.output` is what it printed."""
    monkeypatch.setattr(wait_module, "_LateView", Patient)
    use(session)
    shell.reset(new_session=False)

    def run_cell(text):
        outcome = shell.run_cell(text)
        run_cell.output = capsys.readouterr().out
        run_cell.error = outcome.error_in_exec or outcome.error_before_exec
        return outcome.result

    run_cell.shell = shell
    return run_cell


@pytest.fixture(scope="package")
def kernelspec(tmp_path_factory):
    """The kernelspec named `pilot`, installed for these tests only."""
    prefix = tmp_path_factory.mktemp("prefix")
    assert main(["install", "--prefix", str(prefix)]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(prefix / "share" / "jupyter"))
        patch.setenv("IPYTHONDIR", str(prefix / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(prefix / "runtime"))
        yield prefix


@dataclass
class Answer:
    """What a cell brought."""

    streams: list = field(default_factory=list)
    shown: list = field(default_factory=list)
    updates: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    displays: list = field(default_factory=list)
    order: list = field(default_factory=list)

    @property
    def last(self):
        """The latest update of anything shown."""
        return self.updates[-1]["text/plain"] if self.updates else ""

    def text(self, name="stdout"):
        return "".join(text for stream, text in self.streams if stream == name)

    @property
    def result(self):
        return self.shown[-1]["text/plain"] if self.shown else None

    @property
    def traceback(self):
        text = "\n".join(line for error in self.errors for line in error["traceback"])
        return re.sub(r"\x1b\[[0-9;]*m", "", text)


UNHURRIED = f"""
from pilot_kernel.jupyter.show import live_output
live_output._FIRST_WAIT_S = {PATIENCE_S}
del live_output
"""


@contextlib.contextmanager
def manager_traits():
    """How a kernel is spoken to, and waited for in the end, as traits of its manager.

    Ports that are free when they are chosen may be taken by the time the kernel comes to use them:
    all processes of this machine choose among the same. And a kernel that has not closed its
    session after half of the time to shut down is ended by a signal: its agent would stay.
    """
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        yield {
            "transport": "ipc",
            "ip": f"{folder}/socket",
            "shutdown_wait_time": 2.0 * PATIENCE_S,
        }


class Kernel:
    """A pilot kernel of its own."""

    def __init__(self, name):
        self.sockets = contextlib.ExitStack()
        traits = self.sockets.enter_context(manager_traits())
        self.manager = KernelManager(kernel_name="pilot", **traits)
        self.manager.start_kernel(env={**os.environ, "JPY_SESSION_NAME": name})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE_S)
        self.client.execute(UNHURRIED, silent=True)

    def send(self, code, cell=None, deleted=()):
        """Send a cell, with its id as front ends tell it, if there is one."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = self.client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": cell, "deletedCells": list(deleted)} if cell else {}
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def run(self, code, until=None, **where):
        return self.read(self.send(code, **where), until)

    def read(self, sent, until=None, answer=None):
        """Read until the cell has ended, or until `until(answer)` holds."""
        answer = answer or Answer()
        deadline = time.monotonic() + PATIENCE_S
        while until is None or not until(answer):
            message = self.client.get_iopub_msg(timeout=deadline - time.monotonic())
            kind, content = message["msg_type"], message["content"]
            if kind == "update_display_data":
                answer.updates.append(content["data"])
            elif message["parent_header"].get("msg_id") != sent:
                continue
            elif kind == "stream":
                answer.streams.append((content["name"], content["text"]))
                answer.order.append(content["text"])
            elif kind == "clear_output":
                answer.order.append(kind)
            elif kind in ("execute_result", "display_data"):
                answer.shown.append(content["data"])
                answer.order.append(content["data"].get("text/html"))
                answer.displays.append(content.get("transient", {}))
            elif kind == "error":
                answer.errors.append(content)
            elif kind == "status" and content["execution_state"] == "idle":
                self._take_reply(sent)
                break
        return answer

    def _take_reply(self, sent):
        """Only after its reply does a kernel take cells again that follow a failed one."""
        while self.client.get_shell_msg(timeout=PATIENCE_S)["parent_header"]["msg_id"] != sent:
            pass

    def end(self, **how):
        self.client.stop_channels()
        self.manager.shutdown_kernel(**how)
        self.manager.cleanup_resources()
        self.sockets.close()


@pytest.fixture(scope="package")
def kernel(kernelspec, registry_home, tmp_path_factory):
    """One kernel for all tests that leave it as it was."""
    made = Kernel(str(tmp_path_factory.mktemp("notebooks") / "shared.ipynb"))
    yield made
    made.end()


@pytest.fixture
def new_kernel(kernelspec, registry_home):
    """Makes kernels, and ends what is left of them."""
    with contextlib.ExitStack() as stack:

        def make(name):
            made = Kernel(name)
            stack.callback(made.sockets.close)
            stack.callback(lambda: made.manager.is_alive() and made.end(now=True))
            return made

        yield make
