"""Results on disk by their keys: bounded, checked when they are read, shared by all sessions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from pilot_kernel.task.wire.packing import Packed, pack, unpack
from qdreamer_lab.errors import StepError

__all__ = ["Kept", "Store", "default_store"]

_HOME = "QDREAMER_LAB_STORE"
_MOST_BYTES = 2 * 2**30
_SUFFIX = ".result"
_SIDE = ".json"
_DRAFT = ".draft"
_DRAFT_S = 3600.0
"""How old a draft is that nobody writes any more: who did was killed."""

_DIGEST = hashlib.sha256().digest_size
_MOST_NAME = 255


@dataclass(frozen=True)
class Kept:
    """What a store knows of a result.

    Attributes:
        key: Of what went into it.
        name: What made it.
        size: Bytes on disk.
        used: When it was last written or read, unix seconds.
    """

    key: str
    name: str
    size: int
    used: float


class Store:
    """A folder of results.

    What was used longest ago goes first when there is too much. A result that was damaged on disk
    counts as not there. Files can be read and written by their owner only.

    Args:
        folder: Where; it is made when something is put into it.
        most_bytes: How much may be in it.
    """

    def __init__(self, folder: Path | str, *, most_bytes: int = _MOST_BYTES) -> None:
        self.folder = Path(folder)
        self.most_bytes = most_bytes

    # ---- results

    def put(self, key: str, name: str, value: Packed) -> None:
        """Keep a result; nothing happens if it is larger than the store.

        Raises:
            StepError: The folder cannot be written to.
        """
        told = name.encode()[:_MOST_NAME]
        body = pickle.dumps((bytes(value.header), [bytes(part) for part in value.buffers]))
        if len(body) <= self.most_bytes:
            digest = hashlib.sha256(body).digest()
            self._write(f"{key}{_SUFFIX}", b"".join((bytes([len(told)]), told, digest, body)))
            self._trim()

    def get(self, key: str) -> Packed | None:
        """A result, or None if it is not there as it was written."""
        path = self.folder / f"{key}{_SUFFIX}"
        try:
            with path.open("rb") as file:
                # Reading a result runs what it says: somebody else's file is not read.
                if os.fstat(file.fileno()).st_uid != os.getuid():
                    return None
                whole = file.read()
        except OSError:
            return None
        start = 1 + (whole[0] if whole else 0)
        digest, body = whole[start : start + _DIGEST], whole[start + _DIGEST :]
        if hashlib.sha256(body).digest() != digest:
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        header, buffers = pickle.loads(body)  # noqa: S301 the user's own file
        return Packed(header, tuple(buffers))

    def keep(self, key: str, name: str, value: Any) -> None:
        """Keep a value."""
        self.put(key, name, pack(value))

    def value(self, key: str) -> Any:
        """A value, or None if it is not there."""
        found = self.get(key)
        return None if found is None else unpack(found)

    # ---- notes: what a run was configured like, how far it came

    def note(self, name: str, told: Any) -> None:
        """Keep plain data under a name; it is no result, and stays until the store is cleared."""
        self._write(_file_of(name), json.dumps(told).encode())

    def noted(self, name: str) -> Any:
        """Plain data of a name; None if there is none that can be read."""
        try:
            return json.loads((self.folder / _file_of(name)).read_bytes())
        except (OSError, ValueError):
            return None

    # ---- all of it

    def listed(self) -> list[Kept]:
        """What is in it, the last used first."""
        found = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError, IndexError):
                told = path.stat()
                found.append(Kept(path.stem, _name_in(path), told.st_size, told.st_mtime))
        return sorted(found, key=lambda kept: -kept.used)

    def text(self) -> str:
        """What is in it, in plain text."""
        found = self.listed()
        total = sum(kept.size for kept in found)
        head = f"{len(found)} results, {total / 1e6:.1f} MB of {self.most_bytes / 1e6:.0f} MB"
        lines = [f"{head} in {self.folder}"]
        now = time.time()
        for kept in found:
            ago = max(0.0, now - kept.used)
            lines.append(f"  {kept.name:<32} {kept.size / 1e3:>10.1f} kB  used {ago:,.0f} s ago")
        return "\n".join(lines)

    def clear(self) -> int:
        """Remove everything; returns how many results there were."""
        count = 0
        found = [path for end in (_SUFFIX, _SIDE, _DRAFT) for path in self.folder.glob(f"*{end}")]
        for path in found:
            path.unlink(missing_ok=True)
            count += path.suffix == _SUFFIX
        return count

    def _trim(self) -> None:
        files = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):  # somebody else removes files, too
                files.append((path.stat(), path))
        for path in self.folder.glob(f"*{_DRAFT}"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _DRAFT_S:
                    path.unlink()
        total = sum(told.st_size for told, _ in files)
        for told, path in sorted(files, key=lambda each: each[0].st_mtime_ns):
            if total <= self.most_bytes:
                break
            total -= told.st_size
            path.unlink(missing_ok=True)

    def _write(self, name: str, body: bytes) -> None:
        """Write a file at once: whoever reads it meanwhile sees all or nothing."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(_DRAFT, dir=self.folder)  # 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(body)
                os.replace(draft, self.folder / name)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StepError(
                f"the store {self.folder} cannot be written to: {error.strerror}; name another "
                f"folder with {_HOME}"
            ) from None

    def __repr__(self) -> str:
        return f"<Store {self.folder}>"


def default_store() -> Store:
    """The store of this user: `QDREAMER_LAB_STORE`, or a folder of the cache directory."""
    named = os.environ.get(_HOME)
    return Store(named or Path(platformdirs.user_cache_dir("qdreamer-lab")) / "results")


def _file_of(name: str) -> str:
    """A note's file: any name makes a plain one."""
    return f"{hashlib.sha256(name.encode()).hexdigest()}{_SIDE}"


def _name_in(path: Path) -> str:
    """What made a result, from the beginning of its file."""
    with path.open("rb") as file:
        return file.read(file.read(1)[0]).decode(errors="replace")
