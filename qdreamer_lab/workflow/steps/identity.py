"""What a call depends on, as a key: its code and everything that goes in.

Equal keys must mean equal results, so that whatever is in doubt gets no key at all.
"""

from __future__ import annotations

import hashlib
import sys
import time
import types
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import StepError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

__all__ = ["content_key", "function_key"]

_SOURCES = (".py", ".cu", ".js", ".so", ".pyd")
_OURS = ("pilot_kernel", "qdreamer_lab")
_BELOW = ("numba", "numpy", "qiskit", "qiskit-aer", "scikit-learn", "scipy")
"""What results of ours come from: distributions, whose versions count."""

_FRESH_S = 2.0
"""How long sources count as unchanged: an editor's save is seen by the next run."""

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


def content_key(*values: Any) -> str:
    """A key of values: equal keys only for equal values.

    Args:
        *values: Numbers, words, arrays, containers, dataclasses, functions, and whatever says
            what it is by `__getstate__` or Qiskit's binary format.

    Raises:
        StepError: One of them cannot be told from others for sure.
    """
    digest = hashlib.sha256()
    for value in values:
        _feed(digest, value, ())
    return digest.hexdigest()


def function_key(function: Any) -> str:
    """A key of what a function does.

    One of a module stands for all sources of its package, and of what that imports: whatever is
    changed there may matter. One of a notebook or a script stands for its code, and for all that it
    refers to.

    Raises:
        StepError: It refers to something that has no key.
    """
    digest = hashlib.sha256()
    _feed_function(digest, function, ())
    return digest.hexdigest()


def _feed(digest: Any, value: Any, outer: tuple[int, ...]) -> None:
    if id(value) in outer:
        raise StepError(f"{type(value).__name__} that contains itself has no key")
    outer = (*outer, id(value))
    kind = type(value)
    _word(digest, f"{kind.__module__}.{kind.__qualname__}")
    # A subclass may hold more than its elements do.
    if kind in _PLAIN:
        _word(digest, repr(value))
    elif kind is np.ndarray and not value.dtype.hasobject:
        _word(digest, f"{value.dtype.str}{value.dtype.descr}{value.shape}")
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.generic) and not value.dtype.hasobject:
        _word(digest, value.dtype.str)
        digest.update(value.tobytes())
    elif kind in (list, tuple) or _is_named_tuple(value):
        _word(digest, str(len(value)))
        for each in value:
            _feed(digest, each, outer)
    elif kind in (set, frozenset):
        _word(digest, ",".join(sorted(content_key(each) for each in value)))
    elif kind in (dict, types.MappingProxyType):
        _word(digest, str(len(value)))
        for key, each in value.items():
            _feed(digest, key, outer)
            _feed(digest, each, outer)
    elif isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)):
        _feed_function(digest, value, outer)
    elif isinstance(value, types.ModuleType):
        _word(digest, f"{value.__name__} {_package_key(value.__name__)}")
    elif kind.__module__.partition(".")[0] == "qiskit":
        _feed_qiskit(digest, value, outer)
    else:
        _feed_object(digest, value, outer)


def _is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields") and not hasattr(value, "__dict__")


def _feed_qiskit(digest: Any, value: Any, outer: tuple[int, ...]) -> None:
    """Qiskit's objects: circuits by their binary format, others by how they are pickled."""
    from qiskit import QuantumCircuit, qpy
    from qiskit.quantum_info import SparsePauliOp

    if isinstance(value, QuantumCircuit):
        import io

        file = io.BytesIO()
        named = value.copy()
        named.name = ""  # circuits are numbered as they are made
        qpy.dump(named, file)
        digest.update(file.getvalue())
    elif isinstance(value, SparsePauliOp):
        _feed(digest, value.to_list(), outer)
    else:
        _feed_object(digest, value, outer)


def _feed_object(digest: Any, value: Any, outer: tuple[int, ...]) -> None:
    """An object by how it is pickled: what makes it, and its state."""
    _word(digest, _package_key(type(value).__module__))
    if type(value).__module__ == "__main__":
        _feed_function(digest, type(value), outer)
    try:
        made = value.__reduce_ex__(4)
    except Exception as error:  # noqa: BLE001 a foreign __reduce__ may raise anything
        raise StepError(f"{type(value).__qualname__} has no key: {error}") from None
    if isinstance(made, str) or any(hasattr(part, "__next__") for part in made[:3]):
        raise StepError(f"{type(value).__qualname__} has no key")
    for part in made[:3]:
        _feed(digest, part, outer)
    for rest in made[3:5]:  # of subclasses of lists and dictionaries
        _feed(digest, None if rest is None else list(rest), outer)


def _feed_function(digest: Any, function: Any, outer: tuple[int, ...]) -> None:
    if isinstance(function, types.MethodType):
        _feed(digest, function.__self__, outer)
        function = function.__func__
    module = getattr(function, "__module__", None) or "builtins"
    name = getattr(function, "__qualname__", "")
    if module != "__main__" and _is_at(function, module, name):
        _word(digest, f"{module}.{name} {_package_key(module)}")
    elif isinstance(function, type):
        _word(digest, name)
        for key, each in vars(function).items():
            if isinstance(each, (types.FunctionType, *_PLAIN)):
                _word(digest, key)
                _feed(digest, each, outer)
    elif isinstance(function, types.FunctionType):
        _word(digest, f"{sys.version} {_package_key(module)}")
        _feed_code(digest, function.__code__)
        closed = [cell.cell_contents for cell in function.__closure__ or ()]
        _feed(digest, [function.__defaults__, function.__kwdefaults__, closed], outer)
        for each in sorted(_names(function.__code__) & function.__globals__.keys()):
            if id(function.__globals__[each]) not in outer:  # it may call itself
                _word(digest, each)
                _feed(digest, function.__globals__[each], outer)
    else:
        raise StepError(f"{name or function!r} has no key: it is no plain function")


def _feed_code(digest: Any, code: types.CodeType) -> None:
    """Code by what it does, wherever it stands: cells have other names when they are run again."""
    _word(digest, f"{code.co_argcount} {code.co_posonlyargcount} {code.co_kwonlyargcount}")
    _word(digest, f"{code.co_names} {code.co_varnames} {code.co_freevars} {code.co_flags}")
    digest.update(code.co_code)
    digest.update(code.co_exceptiontable)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _feed_code(digest, constant)
        else:
            _feed(digest, constant, ())


def _names(code: types.CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _is_at(function: Any, module: str, name: str) -> bool:
    """Whether a name of a module stands for just this: a closure may have another's name."""
    if not isinstance(function, types.FunctionType):
        return "<" not in name
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function or getattr(found, "function", None) is function  # of a step


def _package_key(module: str) -> str:
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
    """The modules that a module has, and those from which its functions and classes come."""
    found = []
    for value in list(vars(sys.modules[name]).values()) if name in sys.modules else ():
        here = value.__name__ if isinstance(value, types.ModuleType) else None
        module = here or getattr(value, "__module__", None)
        if isinstance(module, str):
            found.append(module)
    return found


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


def _word(digest: Any, text: str) -> None:
    """A word, so that it cannot run into the next."""
    raw = text.encode("utf-8", "surrogatepass")
    digest.update(len(raw).to_bytes(8, "little"))
    digest.update(raw)
