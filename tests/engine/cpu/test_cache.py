"""How large tiles are, from what Linux tells of caches."""

import pytest

from qdreamer_lab.engine.cpu import cache
from qdreamer_lab.engine.cpu.cache import (
    cpu_costs,
    second_level_bytes,
    tile_bits_for,
    tile_scratch_bytes,
)
from qdreamer_lab.engine.passes.plan import PassCosts


def write(folder, level, size):
    folder.mkdir()
    (folder / "level").write_text(f"{level}\n")
    (folder / "size").write_text(f"{size}\n")


def test_the_second_level_is_found_whatever_its_place(tmp_path):
    for number, (level, size) in enumerate([(1, "48K"), (1, "32K"), (3, "260M"), (2, "1280K")]):
        write(tmp_path / f"index{number}", level, size)
    assert second_level_bytes(tmp_path) == 1280 << 10


def test_where_nothing_is_told_nothing_is_guessed(tmp_path):
    assert second_level_bytes(tmp_path / "missing") is None
    write(tmp_path / "index0", 2, "two megabytes")
    assert second_level_bytes(tmp_path) is None


@pytest.mark.parametrize("size", [1 << 10, 256 << 10, 512 << 10, 1280 << 10, 2 << 20, 64 << 20])
@pytest.mark.parametrize("itemsize", [8, 16])
def test_a_tile_takes_at_most_half_of_the_cache_and_not_much_less(size, itemsize):
    bits = tile_bits_for(size, itemsize)
    assert 12 <= bits <= 17
    if bits > 12:
        assert itemsize << bits <= size / 2
    if bits < 17:
        assert itemsize << bits > size / 4


def test_without_a_cache_the_planner_has_its_own_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_CACHES", tmp_path)
    cpu_costs.cache_clear()
    assert cpu_costs(16) == PassCosts()
    cpu_costs.cache_clear()


def test_tiles_of_all_threads_are_known_beforehand():
    tile = 16 << cpu_costs(16).tile_bits
    assert tile_scratch_bytes(100 * tile, 16, 3, branches=False) == 3 * tile
    assert tile_scratch_bytes(100 * tile, 16, 3, branches=True) == 6 * tile
    assert tile_scratch_bytes(2 * tile, 16, 8, branches=False) == 2 * tile
    assert tile_scratch_bytes(tile // 4, 16, 8, branches=False) == tile // 4
