"""How much memory is free, as the kernel says."""

import psutil
import pytest

from qdreamer_lab.workload.execution import memory


def test_the_kernel_says_what_psutil_finds():
    before, found = psutil.virtual_memory().available, memory._machine_bytes()
    after = psutil.virtual_memory().available  # others take and free it meanwhile
    assert 0.8 * min(before, after) < found < 1.2 * max(before, after)


@pytest.mark.parametrize("content", [None, b"MemTotal: 1 kB\n", b"MemAvailable:\n"])
def test_where_the_kernel_says_nothing_psutil_finds_out(tmp_path, monkeypatch, content):
    file = tmp_path / "meminfo"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(memory, "_MEMINFO", file)
    assert memory._machine_bytes() > 0


def test_a_control_group_has_the_last_word(monkeypatch):
    monkeypatch.setattr(memory, "memory_left_bytes", lambda: 600)
    assert memory.available_bytes() == 600
    monkeypatch.setattr(memory, "memory_left_bytes", lambda: None)
    assert memory.available_bytes() > 600
