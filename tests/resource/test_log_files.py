"""Log files of an agent and its workers: found, cut to their ends, and without keys."""

import os
import stat
import subprocess
import sys

import pytest

from pilot_kernel.resource import log_files, registry


@pytest.fixture
def agent(tmp_path):
    """An agent's folder with its log, and those of some workers."""
    folder = log_files.folder_of(tmp_path)
    folder.mkdir()
    (tmp_path / "agent.log").write_text("the agent\n")
    for name in ("local-10", "local-9", "other-0"):
        log_files.worker_log(folder, name).write_text(f"this is {name}\n")
    return tmp_path


def names(found):
    return [each["name"] for each in found]


def test_all_are_found_in_order(agent):
    found = log_files.gather(agent)
    assert names(found) == ["agent", "local-9", "local-10", "other-0"]
    assert [each["text"] for each in found][1] == "this is local-9\n"
    assert found[0]["path"] == str(agent / "agent.log")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("agent", ["agent"]),
        ("local", ["local-9", "local-10"]),
        ("local-1", []),
        ("local-10", ["local-10"]),
        ("loc", []),
    ],
)
def test_those_of_one_worker_or_of_one_pilot(agent, name, expected):
    assert names(log_files.gather(agent, name=name)) == expected


def test_only_the_end_of_a_long_one_is_told(agent):
    long = "".join(f"line {number}\n" for number in range(100_000))
    log_files.worker_log(log_files.folder_of(agent), "local-9").write_text(long)
    [_, tail, *_] = log_files.gather(agent)
    assert tail["bytes"] == len(long)
    assert len(tail["text"]) <= 32_000
    assert long.endswith(tail["text"])
    assert tail["text"].startswith("line ")
    [alone] = log_files.gather(agent, name="local-9")
    assert 900_000 < len(alone["text"]) <= 1_000_000


def test_the_logs_of_jobs_with_a_working_directory_are_found(agent, tmp_path_factory):
    work = tmp_path_factory.mktemp("work")
    jobs = log_files.folder_of(work / f"pilot-{agent.name}")
    jobs.mkdir(parents=True)
    (jobs / "batch-0.log").write_text("a job\n")
    (jobs / "local-9.log").write_text("of the same name\n")
    (work / "mine.txt").write_text("private\n")
    found = log_files.gather(agent, [str(work), "/nonexistent"])
    here = ["agent", "local-9", "local-10", "other-0"]
    assert names(found) == [*here, "batch-0", str(jobs / "local-9.log")]


def test_links_pipes_and_folders_are_left_alone(agent):
    folder = log_files.folder_of(agent)
    (folder / "link.log").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.log")
    (folder / "folder.log").mkdir()
    assert names(log_files.gather(agent)) == ["agent", "local-9", "local-10", "other-0"]


def test_a_private_key_is_not_told(agent):
    key = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"
    (agent / "agent.log").write_text(f"before\n{key}\nbetween\n{key[:40]}")
    [found] = log_files.gather(agent, name="agent")
    assert "abc" not in found["text"]
    assert "before" in found["text"]
    assert "between" in found["text"]
    (agent / "agent.log").write_text(f"{key[-38:]}\nafter\n{key}")
    [found] = log_files.gather(agent, name="agent")
    assert "abc" not in found["text"]
    assert "after" in found["text"]


def test_a_process_goes_on_in_a_file_that_only_its_owner_reads(tmp_path):
    path = log_files.worker_log(tmp_path, "a/../b")
    assert path.parent == tmp_path
    program = (
        "import os, sys; from pilot_kernel.resource.log_files import append_here;"
        "append_here(sys.argv[1]); print('one', flush=True); os.system('echo two >&2')"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert path.read_text() == "one\ntwo\n" * 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_agent_s_folder_goes_with_the_logs_in_it(agent):
    registry.remove_directory(agent)
    assert not agent.exists()
