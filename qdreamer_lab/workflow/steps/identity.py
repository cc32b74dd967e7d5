"""What a call depends on, as a key: its code and everything that goes in.

Equal keys must mean equal results, so that whatever is in doubt gets no key at all.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import sys
import types
from typing import Any

import numpy as np

from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.steps.source_keys import package_key

__all__ = ["content_key", "function_key"]

_NO_CONTENT = frozenset(
    {
        "__annotations__",
        "__annotations_cache__",
        "__dataclass_fields__",
        "__dict__",
        "__firstlineno__",
        "__module__",
        "__orig_bases__",
        "__parameters__",
        "__static_attributes__",
        "__weakref__",
        "_abc_impl",
    }
)
"""What classes hold that says where they stand, or is told in another way."""

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
_CACHED = type(functools.lru_cache(len))
_SLOTS = (types.GetSetDescriptorType, types.MemberDescriptorType)


def content_key(*values: Any) -> str:
    """A key of values: equal keys only for equal values.

    Args:
        *values: Numbers, words, arrays, containers, dataclasses, functions, and whatever says
            what it is by `__getstate__` or Qiskit's binary format.

    Raises:
        StepError: One of them cannot be told from others for sure.
    """
    digest = _Digest()
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
    digest = _Digest()
    _feed_function(digest, function, ())
    return digest.hexdigest()


class _Digest:
    """A digest, and which functions and classes are in it: what they refer to is told once."""

    def __init__(self) -> None:
        digest = hashlib.sha256()
        self.update, self.hexdigest = digest.update, digest.hexdigest
        self._told: dict[int, tuple[int, Any]] = {}  # they are held, so that no id comes again

    def is_new(self, code: Any) -> bool:
        """Whether a function or class was not told before; the number it has is told anyway."""
        new = id(code) not in self._told
        number, _ = self._told.setdefault(id(code), (len(self._told), code))
        _word(self, str(number))
        return new


def _feed(digest: _Digest, value: Any, outer: tuple[int, ...]) -> None:
    if isinstance(value, _CODE):
        _feed_function(digest, value, outer)
        return
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
    elif isinstance(value, types.ModuleType):
        _word(digest, f"{value.__name__} {package_key(value.__name__)}")
    elif _module_of(kind).partition(".")[0] == "qiskit":
        _feed_qiskit(digest, value, outer)
    else:
        _feed_object(digest, value, outer)


def _is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields") and not hasattr(value, "__dict__")


def _feed_qiskit(digest: _Digest, value: Any, outer: tuple[int, ...]) -> None:
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


def _feed_object(digest: _Digest, value: Any, outer: tuple[int, ...]) -> None:
    """An object by how it is pickled: what makes it, and its state."""
    _word(digest, package_key(_module_of(type(value))))
    if _module_of(type(value)) == "__main__":
        _feed(digest, type(value), outer)
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


def _feed_function(digest: _Digest, function: Any, outer: tuple[int, ...]) -> None:
    """A function, method or class; those of a notebook or script with all that they refer to."""
    _word(digest, type(function).__qualname__)
    if isinstance(function, types.MethodType):
        _feed(digest, function.__self__, outer)
        function = function.__func__
    elif isinstance(function, types.BuiltinFunctionType) and _is_bound(function):
        _word(digest, function.__name__)
        _feed(digest, function.__self__, outer)
        return
    module = _module_of(function)
    name = getattr(function, "__qualname__", "")
    if module != "__main__" and _is_at(function, module, name):
        _word(digest, f"{module}.{name} {package_key(module)}")
    elif isinstance(function, type):
        if digest.is_new(function):
            _feed_class(digest, function, outer)
    elif isinstance(function, types.FunctionType):
        if digest.is_new(function):
            _feed_plain_function(digest, function, module, outer)
    else:
        raise StepError(f"{name or function!r} has no key: it is no plain function")


def _feed_plain_function(
    digest: _Digest, function: types.FunctionType, module: str, outer: tuple[int, ...]
) -> None:
    _word(digest, f"{sys.version} {package_key(module)}")
    _feed_code(digest, function.__code__)
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    held = {key: each for key, each in vars(function).items() if key != "__wrapped__"}
    _feed(digest, [function.__defaults__, function.__kwdefaults__, closed, held], outer)
    for each in sorted(_names(function.__code__) & function.__globals__.keys()):
        _word(digest, each)
        _feed(digest, function.__globals__[each], outer)


def _feed_class(digest: _Digest, kind: type, outer: tuple[int, ...]) -> None:
    """A class: what it is made from, and all that it holds."""
    _word(digest, f"{kind.__qualname__} {package_key(_module_of(kind))}")
    _feed(digest, [type(kind), *kind.__bases__], outer)
    _word(digest, repr(vars(kind).get("__annotations__")))  # hints may have no key
    if dataclasses.is_dataclass(kind):
        for field in dataclasses.fields(kind):
            told = (field.name, field.default, field.default_factory, field.metadata)
            _feed(digest, told, outer)
    members: dict[str, Any] = dict(vars(kind))
    if issubclass(kind, enum.Enum):  # whose members are of this very class
        _feed(digest, [(name, each.value) for name, each in kind.__members__.items()], outer)
        members = {key: each for key, each in members.items() if _is_written(kind, key, each)}
    for key, each in members.items():
        if key in _NO_CONTENT or isinstance(each, _SLOTS):
            continue
        _word(digest, key)
        _feed(digest, _inside(each), outer)


def _is_written(kind: type[enum.Enum], key: str, value: Any) -> bool:
    """Whether an enumeration's own source says so, beside its members: no table that it keeps."""
    table = key.startswith("_") and not isinstance(_inside(value), (*_CODE, tuple))
    return key not in kind.__members__ and not table


def _inside(member: Any) -> Any:
    """The functions in what a class wraps them in."""
    if isinstance(member, (property, types.DynamicClassAttribute)):
        return ("property", member.fget, member.fset, member.fdel)
    if isinstance(member, (staticmethod, classmethod)):
        return (type(member).__name__, member.__func__)
    if isinstance(member, functools.cached_property):
        return ("cached_property", member.func)
    if isinstance(member, _CACHED):
        return ("cached", member.__wrapped__)
    return member


def _is_bound(function: types.BuiltinFunctionType) -> bool:
    owner = function.__self__
    return owner is not None and not isinstance(owner, types.ModuleType)


def _module_of(code: Any) -> str:
    """The module of a function or class; of a class that names none, that of what it is made of."""
    for each in getattr(code, "__mro__", (code,)):
        module = getattr(each, "__module__", None)
        if isinstance(module, str):
            return module
    return "builtins"


def _feed_code(digest: _Digest, code: types.CodeType) -> None:
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


def _word(digest: _Digest, text: str) -> None:
    """A word, so that it cannot run into the next."""
    raw = text.encode("utf-8", "surrogatepass")
    digest.update(len(raw).to_bytes(8, "little"))
    digest.update(raw)
