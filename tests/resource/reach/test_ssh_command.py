"""Command lines as `ssh` and the other shell get them; the script is run by a real shell."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pilot_kernel.resource.host.protocol import MARK, REFUSAL
from pilot_kernel.resource.reach.ssh_command import connect, forward, script
from pilot_kernel.resource.reach.ssh_target import SshTarget

HOST = SshTarget("node", "me", 2222)


def _run(text, **environment):
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
    )
    return done.stdout.splitlines()


def _here(**environment):
    return {"PYTHONPATH": str(Path(__file__).resolve().parents[3]), **environment}


def test_the_destination_comes_last_and_cannot_be_an_option():
    line = connect(HOST, "run this", Path("/tmp/c"))
    assert line[-7:] == ["-p", "2222", "-l", "me", "--", "node", "run this"]
    assert line[:4] == ["ssh", "-M", "-S", "/tmp/c"]
    assert "BatchMode=yes" in line
    line = forward(HOST, Path("/tmp/c"), [("R", 0, 5), ("L", 7, 7)])
    assert line[7:11] == ["-R", "127.0.0.1:0:127.0.0.1:5", "-L", "127.0.0.1:7:127.0.0.1:7"]
    assert line[5:7] == ["-O", "forward"]


def test_this_python_is_found_and_says_hello():
    said = _run(script(None, []), **_here())
    (line,) = [each for each in said if each.startswith(MARK)]
    hello = json.loads(line[len(MARK) :])["hello"]
    assert hello["versions"]["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_set_up_lines_run_before_and_may_print_and_read():
    lines = ['echo "loading: it\'s fine"', "cat", f"export PYTHONPATH={_here()['PYTHONPATH']}"]
    said = _run(script(sys.executable, lines))
    assert said[0] == "loading: it's fine"
    assert any(each.startswith(MARK) for each in said)


@pytest.mark.parametrize(
    ("python", "complaint"),
    [
        ("/no/python", "no Python: tried /no/python"),
        ("/it's here/python", "no Python: tried"),
        ("/bin/false", "no pilot_kernel: /bin/false"),
    ],
)
def test_a_missing_python_or_package_is_told(python, complaint):
    (line,) = _run(script(python, []))
    assert line.startswith(f"{REFUSAL}{complaint}")
