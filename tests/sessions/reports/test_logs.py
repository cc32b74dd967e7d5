"""Log files of a real session, found with one call."""

import os
import signal
import stat
from pathlib import Path

import pytest

import pilot_kernel
from pilot_kernel.errors import PilotError
from pilot_kernel.sessions.reports.logs import Logs
from tests.conftest import wait_until, worker_pids
from tests.drawing.html_check import Balance


def test_the_logs_of_all_workers_also_of_those_that_are_gone():
    with pilot_kernel.Session() as session:
        pilot = session.add_pilot("local://", cores_per_node=2, name="mine")
        session.add_pilot("local://", cores_per_node=1, name="other")
        wait_until(lambda: sum(status.workers for status in session.pilot_statuses()) == 3)
        os.kill(worker_pids(session)["mine-1"], signal.SIGKILL)
        wait_until(lambda: session.logs("mine-1")["mine-1"].text.count("Registered to") == 2)
        session._link.client.run(_say_something)
        pilot.scale(1)
        logs = session.logs()
        assert [file.name for file in logs] == ["agent", "mine-0", "mine-1", "other-0"]
        for file in logs:
            assert stat.S_IMODE(Path(file.path).stat().st_mode) & 0o077 == 0
        gone = logs["mine-1"]
        assert gone.text.count("Registered to") == 2, "that of the one that died, too"
        assert "said to C" in gone.text
        assert "said to C" not in logs["agent"].text
        assert [file.name for file in session.logs("mine")] == ["mine-0", "mine-1"]
        assert len(session.logs("other-0")) == 1
        with pytest.raises(PilotError, match="no log files of 'nobody'"):
            session.logs("nobody")
        with pytest.raises(KeyError, match="there is: agent, mine-0"):
            logs["nobody"]
        shown = Balance(logs._repr_html_()).text
        assert "mine-1" in shown
        assert "== mine-1: " in repr(logs)
        assert gone.tail(1) in gone.text
        folder = Path(gone.path).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def _say_something():
    os.write(2, b"said to C\n")


def test_logs_of_nobody():
    assert repr(Logs(())) == "no log files"
    assert "no log files" in Logs(())._repr_html_()


def test_what_a_log_says_is_shown_as_text():
    logs = Logs.of([{"name": "<b>", "path": "/x", "bytes": 9, "text": "<script>1</script>\n"}])
    assert "&lt;script&gt;" in logs._repr_html_()
    Balance(logs._repr_html_())
