import json
import subprocess
import sys

from pilot_kernel.__main__ import main


def test_install_writes_stock_ipykernel_with_the_extension(tmp_path, capsys):
    assert main(["install", "--prefix", str(tmp_path), "--name", "other"]) == 0
    place = tmp_path / "share/jupyter/kernels/other"
    assert str(place) in capsys.readouterr().out
    spec = json.loads((place / "kernel.json").read_text())
    assert spec["argv"][:3] == [sys.executable, "-m", "ipykernel_launcher"]
    assert "--ext=pilot_kernel" in spec["argv"]
    assert spec["display_name"] == "Python 3 (pilot)"


def test_uninstall(kernelspec, tmp_path, monkeypatch):
    assert main(["install", "--prefix", str(tmp_path), "--name", "gone"]) == 0
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    assert main(["uninstall", "--name", "gone"]) == 0
    assert main(["uninstall", "--name", "gone"]) == 1


def test_an_impossible_place_is_told(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["install", "--prefix", str(tmp_path / "file")]) == 1
    assert "could not be installed" in capsys.readouterr().err


def test_agents_are_listed(session, capsys):
    session.pilot_statuses()
    assert main(["agents"]) == 0
    assert "agent-" in capsys.readouterr().out


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, pilot_kernel; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["distributed", "qiskit", "IPython", "numpy"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_loading_waits_for_no_large_package(kernelspec, tmp_path):
    """What the main thread imports is small; Dask and its like are imported behind it."""
    code = (
        "import sys, threading, IPython.core.interactiveshell as i, qiskit\n"
        "here, seen = threading.get_ident(), set()\n"
        "def hear(event, args):\n"
        "    if event == 'import' and threading.get_ident() == here:\n"
        "        seen.add(args[0].partition('.')[0])\n"
        "sys.addaudithook(hear)\n"
        "i.InteractiveShell().run_line_magic('load_ext', 'pilot_kernel')\n"
        "print(*seen - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    small = {"IPython", "cloudpickle", "pilot_kernel", "platformdirs", "psutil"}
    assert "pilot_kernel" in done.stdout.split()
    assert set(done.stdout.split()) <= small
