"""What stands for the code of a module: versions of what is installed, else sources as they are."""

from __future__ import annotations

import ast
import hashlib
import sys
import time
import types
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

from qdreamer_lab.errors import StepError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = ["package_key"]

_SOURCES = (".py", ".cu", ".js", ".so", ".pyd")
_OURS = ("pilot_kernel", "qdreamer_lab")
_BELOW = ("numba", "numpy", "qiskit", "qiskit-aer", "scikit-learn", "scipy")
"""What results of ours come from: distributions, whose versions count."""

_FRESH_S = 2.0
"""How long sources count as unchanged: an editor's save is seen by the next run."""


def package_key(module: str) -> str:
    """What stands for the code of a module: the sources of its package as they are now.

    Of Python's own modules and of installed packages, their versions.

    Raises:
        StepError: It has neither.
    """
    if module.partition(".")[0] in (*sys.stdlib_module_names, "__main__"):
        return sys.version
    moment = int(time.monotonic() / _FRESH_S)
    tops = _reached(module, moment)
    reached = [f"{top} {_sources_key(top, moment)}" for top in tops]
    below = [f"{name} {_installed(name)}" for name in _BELOW] if _OURS[0] in tops else []
    return "\n".join([sys.version, *reached, *below])


@lru_cache(maxsize=256)
def _sources_key(top: str, _moment: int) -> str:
    version = _version(top)
    if version is not None:
        return version
    digest = hashlib.sha256()
    for file in _files(top):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _reached(module: str, _moment: int) -> tuple[str, ...]:
    """The package of a module and those that it imports, and so on until they are installed."""
    found: set[str] = set()
    seen: set[str] = set()
    coming = [module]
    while coming:
        name = coming.pop()
        top = name.partition(".")[0]
        if name in seen or top in sys.stdlib_module_names or top == "__main__":
            continue
        seen.add(name)
        found.add(top)
        if top in _OURS:
            found.update(_OURS)
        elif _version(top) is None:
            coming += _imported(name)
    return tuple(sorted(found))


def _imported(name: str) -> list[str]:
    """The modules that a module imports, has, and from which its functions and classes come."""
    found = _named_in(name)
    for value in list(vars(sys.modules[name]).values()) if name in sys.modules else ():
        here = value.__name__ if isinstance(value, types.ModuleType) else None
        module = here or getattr(value, "__module__", None)
        if isinstance(module, str):
            found.append(module)
    return found


def _named_in(name: str) -> list[str]:
    """The modules that the source of a module imports: of a number, nothing else says whence."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    if spec is None or not str(spec.origin).endswith(".py"):
        return []
    try:
        tree = ast.parse(Path(spec.origin).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            whole = resolve_name(base, spec.parent) if node.level else base
            found += [whole, *(f"{whole}.{each.name}" for each in node.names)]
    return [each for each in found if each in sys.modules]


def _version(top: str) -> str | None:
    """The version of an installed package; None of what is worked on, whose sources count."""
    spec = _spec(top)
    version = str(getattr(sys.modules.get(top), "__version__", ""))
    version = version or _installed(top)
    installed = spec is None or "site-packages" in str(spec.origin)
    return version if version and installed and top not in _OURS else None


@lru_cache(maxsize=256)
def _installed(distribution: str) -> str:
    """The version of a distribution; empty if there is none of that name."""
    try:
        return metadata.version(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return ""


def _files(top: str) -> list[Path]:
    """The sources of a package or a module.

    Raises:
        StepError: There are none.
    """
    spec = _spec(top)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    found = [file for place in places for file in Path(place).rglob("*")]
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin))
    sources = sorted({file for file in found if file.suffix in _SOURCES and file.is_file()})
    if not sources:
        raise StepError(f"the module {top!r} has no sources that could be told from others")
    return sources


def _spec(top: str) -> ModuleSpec | None:
    loaded = sys.modules.get(top)
    if loaded is not None:
        return loaded.__spec__
    try:
        return find_spec(top)
    except (ImportError, ValueError):
        return None
