"""Files of compiled kernels that several processes may write at once.

Numba numbers its files and names them in an index before it writes them. Of two processes that
compile one function for different types, the later one then replaces the file that the earlier
one's index entry names, and whoever reads that entry runs code made for other types. Here a file's
name follows from what it holds, and it is there before the index says so. What may get lost when
two write the index at once is an entry: that kernel is compiled again when it is next needed.
"""

from __future__ import annotations

import hashlib
from typing import Any

from numba.core.caching import IndexDataCacheFile

__all__ = ["KernelFiles", "use_own_files"]


class KernelFiles(IndexDataCacheFile):  # type: ignore[misc]
    """The files of one function's compiled versions; reading them is numba's own."""

    def save(self, key: Any, data: Any) -> None:
        """Write one version, then the index with it.

        Args:
            key: What the version was compiled for: types, processor, code.
            data: The version, as numba wants it back.
        """
        told = repr((key, self._source_stamp)).encode()
        name = self._data_name_pattern.format(number=int(hashlib.sha256(told).hexdigest()[:12], 16))
        self._save_data(name, data)
        entries = self._load_index()
        entries[key] = name
        self._save_index(entries)


def use_own_files(kernel: Any) -> None:
    """Have a kernel, as numba's `njit` made it, keep its versions in `KernelFiles`.

    Where numba finds no folder to write to, or nothing is compiled at all, there are no files.
    """
    file = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if isinstance(file, IndexDataCacheFile):
        file.__class__ = KernelFiles
