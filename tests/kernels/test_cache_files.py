"""Compiled kernels in files that several processes write at once: each is the one it is named."""

import pickle

import pytest
from numba.core.caching import IndexDataCacheFile

from qdreamer_lab.kernels import random_numbers
from qdreamer_lab.kernels.cache_files import KernelFiles
from qdreamer_lab.kernels.simulate import tile_gates

STAMP = (1.0, 100)


def files(folder, stamp=STAMP, kind=KernelFiles):
    return kind(str(folder), "some.kernel", stamp)


class Late(KernelFiles):
    """Another process has read the index before anybody wrote to it."""

    def _load_index(self):
        return {}


def test_two_that_write_at_once_do_not_mix_up_what_they_write(tmp_path):
    files(tmp_path).save("floats", "code for floats")
    files(tmp_path, kind=Late).save("integers", "code for integers")
    later = files(tmp_path)
    assert {key: later.load(key) for key in ("floats", "integers")} == {
        "floats": None,  # to be compiled once more, and not taken from the wrong file
        "integers": "code for integers",
    }
    later.save("floats", "code for floats")
    assert (later.load("floats"), later.load("integers")) == (
        "code for floats",
        "code for integers",
    )
    assert not list(tmp_path.glob("*.tmp.*"))


def test_whoever_reads_an_index_meanwhile_gets_what_it_names(tmp_path):
    files(tmp_path).save("floats", "code for floats")
    seen = files(tmp_path)._load_index()
    files(tmp_path, kind=Late).save("integers", "code for integers")
    assert files(tmp_path)._load_data(seen["floats"]) == "code for floats"


def test_code_is_there_before_the_index_says_so(tmp_path, monkeypatch):
    def broken(self, overloads):
        raise OSError("no space left on device")

    made = files(tmp_path)
    made.save("floats", "old")
    with monkeypatch.context() as patch:
        patch.setattr(KernelFiles, "_save_index", broken)
        with pytest.raises(OSError, match="no space"):
            made.save("integers", "new")
    assert made.load("integers") is None
    assert made.load("floats") == "old"
    (data,) = set(tmp_path.glob("*.nbc")) - {tmp_path / made._load_index()["floats"]}
    assert pickle.loads(data.read_bytes()) == "new"


def test_after_an_edit_nothing_old_is_loaded(tmp_path):
    files(tmp_path).save("floats", "old")
    edited = files(tmp_path, stamp=(2.0, 101))
    assert edited.load("floats") is None
    edited.save("floats", "new")
    assert edited.load("floats") == "new"
    assert files(tmp_path).load("floats") is None


def test_what_numba_wrote_before_is_read(tmp_path):
    files(tmp_path, kind=IndexDataCacheFile).save("floats", "by numba")
    assert files(tmp_path).load("floats") == "by numba"


@pytest.mark.parametrize("compiled", [random_numbers.below, tile_gates.dense_one])
def test_kernels_are_kept_there(compiled):
    assert isinstance(compiled._cache._cache_file, KernelFiles)
