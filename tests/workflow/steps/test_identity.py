"""Keys: the same for what is alike, in any process; others for whatever differs."""

import subprocess
import sys
import textwrap
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import CCXGate, CXGate

from qdreamer_lab.errors import StepError
from qdreamer_lab.workflow.steps.identity import content_key, function_key

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


class Scaled(list):
    def __init__(self, values, scale=1):
        super().__init__(values)
        self.scale = scale


class Pair(NamedTuple):
    one: int
    other: int


@given(plain, plain)
def test_equal_keys_mean_equal_values(one, other):
    assert (content_key(one) == content_key(other)) == (repr(one) == repr(other))


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_words_do_not_run_into_each_other(one, other):
    assert (content_key(*one) == content_key(*other)) == (one == other)


@pytest.mark.parametrize(
    "others",
    [
        (np.zeros(4), np.zeros(4, dtype=np.float32), np.zeros((2, 2)), np.zeros(4).tolist()),
        (1, 1.0, True, "1", np.int64(1), np.float64(1)),
        ({1, 2}, {1, 3}, frozenset({1, 2})),
        ({}, OrderedDict(), defaultdict(int), defaultdict(list), Scaled([])),
        ([1], Scaled([1], 2), Scaled([1], 3), Scaled([2], 2)),
        (
            np.arange(2.0),
            np.ma.array(np.arange(2.0), mask=[True, False]),
            np.ma.array(np.arange(2.0), mask=[False, True]),
        ),
        (Pair(1, 2), Pair(2, 1), (1, 2)),
    ],
)
def test_what_only_looks_alike_has_other_keys(others):
    assert len({content_key(each) for each in others}) == len(others)


@dataclass(frozen=True)
class Point:
    x: float
    y: float


def test_objects_are_what_they_hold():
    assert content_key(Point(1, 2)) == content_key(Point(1, 2)) != content_key(Point(2, 1))
    assert content_key(np.arange(6).reshape(2, 3)[:, ::2]) == content_key(
        np.array([[0, 2], [3, 5]])
    )


def test_circuits_are_what_they_do_not_what_they_are_called():
    def made(angle, name):
        circuit = QuantumCircuit(2, name=name)
        circuit.rx(angle, 0)
        return circuit

    assert content_key(made(0.1, "a")) == content_key(made(0.1, "b"))
    assert content_key(made(0.1, "a")) != content_key(made(0.2, "a"))


def test_what_cannot_be_told_from_others_has_no_key():
    with pytest.raises(StepError, match="generator has no key"):
        content_key(x for x in "abc")
    inside = []
    inside.append(inside)
    with pytest.raises(StepError, match="contains itself"):
        content_key(inside)


SCRIPT = """
from qdreamer_lab.workflow.steps.identity import function_key, content_key
{space}
factor = {factor}
def helper(x):
    return factor * x
def f(x, y=1):
    return helper(x) + y if x else f(x - 1)
print(function_key(f), content_key({{"a": [1.5, "b"], "c": {{3, 4, 5}}}}, helper))
"""


def keys_of_script(tmp_path, name, factor=2, space="", seed="1"):
    path = tmp_path / name
    path.write_text(textwrap.dedent(SCRIPT.format(factor=factor, space=space)))
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**__import__("os").environ, "PYTHONHASHSEED": seed},
    )
    return done.stdout.split()


def test_a_scripts_function_is_its_code_and_what_it_refers_to(tmp_path):
    first = keys_of_script(tmp_path, "one.py")
    assert keys_of_script(tmp_path, "two.py", space="\n\n# moved", seed="2") == first
    other = keys_of_script(tmp_path, "three.py", factor=3)
    assert other[0] != first[0]
    assert other[1] != first[1]


def test_closures_and_defaults_count():
    def outer(a, b):
        def inner(x, y=b):
            return a + x + y

        return inner

    assert function_key(outer(1, 2)) == function_key(outer(1, 2))
    assert len({function_key(outer(*each)) for each in [(1, 2), (2, 2), (1, 1)]}) == 3


def test_sources_of_a_package_count_as_they_are_now(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "some_cellar.py"
    module.write_text("def f():\n    return helper()\ndef helper():\n    return 1\n")
    import some_cellar

    from qdreamer_lab.workflow.steps import source_keys

    before = function_key(some_cellar.f)
    assert function_key(some_cellar.f) == before
    module.write_text(module.read_text().replace("return 1", "return 2"))
    fresh(source_keys)
    assert function_key(some_cellar.f) != before


def fresh(source_keys):
    """Have sources looked at again at once, not after two seconds."""
    source_keys._sources_key.cache_clear()
    source_keys._reached.cache_clear()


def test_sources_of_what_a_module_imports_count_too(tmp_path, monkeypatch):
    from qdreamer_lab.workflow.steps import source_keys

    monkeypatch.syspath_prepend(str(tmp_path))
    below = tmp_path / "deep_cellar.py"
    below.write_text("def helper():\n    return 1\n")
    above = "from deep_cellar import helper\ndef f():\n    return helper()\n"
    (tmp_path / "upper_cellar.py").write_text(above)
    import deep_cellar
    import upper_cellar

    def by_module():
        return deep_cellar.helper()

    keys = function_key(upper_cellar.f), function_key(by_module)
    below.write_text(below.read_text().replace("return 1", "return 2"))
    fresh(source_keys)
    again = function_key(upper_cellar.f), function_key(by_module)
    assert keys[0] != again[0]
    assert keys[1] != again[1]


def test_ours_count_with_what_they_stand_on(monkeypatch):
    from qdreamer_lab.workflow.steps import source_keys

    before = function_key(content_key)
    fresh(source_keys)
    assert function_key(content_key) == before
    found = source_keys._installed
    assert found("numpy") == np.__version__
    monkeypatch.setattr(
        source_keys, "_installed", lambda name: found(name) + "x" * (name == "numpy")
    )
    assert function_key(content_key) != before


def test_closures_under_another_name_are_told_apart():
    import functools

    def times(factor):
        @functools.wraps(content_key)
        def inner(value):
            return factor * value

        return inner

    assert function_key(times(2)) == function_key(times(2))
    assert len({function_key(times(2)), function_key(times(3)), function_key(content_key)}) == 3


def test_a_module_without_sources_has_no_key(monkeypatch):
    import types

    module = types.ModuleType("made_cellar")
    exec("def f():\n    return 1", module.__dict__)
    monkeypatch.setitem(sys.modules, "made_cellar", module)
    with pytest.raises(StepError, match="no sources"):
        function_key(module.f)


def made(source, name):
    """What a notebook's cell makes under a name."""
    space = {"__name__": "__main__"}
    exec(textwrap.dedent(source), space)
    return space[name]


@pytest.mark.parametrize(
    "source",
    [
        "class C:\n    @property\n    def f(self):\n        return {}",
        "class C:\n    @staticmethod\n    def f():\n        return {}",
        "class C:\n    @classmethod\n    def f(cls):\n        return {}",
        "class C:\n    table = [{}]",
        "class C:\n    class D:\n        x = {}",
        "class B:\n    def f(self):\n        return {}\nclass C(B):\n    pass",
        "class C:\n    def f(self):\n        return C, {}",
        "from functools import *\nclass C:\n  @cached_property\n  def f(self):\n    return {}",
        "from enum import *\nclass C(Enum):\n  A = 1\n  @property\n  def f(self):\n    return {}",
        "import enum\nclass C(enum.Enum):\n  A = 1\n  @property\n  def f(self):\n    return {}",
        "import enum\nclass C(enum.IntEnum):\n    A = {}",
        "def C():\n    return C.factor\nC.factor = {}",
        "class D:\n    @property\n    def f(self):\n        return {}\ndef C():\n    return D().f",
    ],
)
def test_all_that_a_class_or_function_of_a_notebook_holds_counts(source):
    keys = [content_key(made(source.format(value), "C")) for value in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]


def test_instances_count_with_their_class():
    source = "class C:\n    @property\n    def f(self):\n        return {}"
    keys = [content_key(made(source.format(value), "C")()) for value in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]


def test_bound_methods_count_with_what_they_are_bound_to():
    assert content_key({1: 2}.get) == content_key({1: 2}.get) != content_key({1: 3}.get)
    assert content_key([1].count) != content_key((1,).count)
    assert function_key("a".join) != function_key("b".join)


def test_gates_have_keys_whichever_state_controls_them():
    gates = [CXGate(), CXGate(ctrl_state=0), CCXGate(ctrl_state=1), CCXGate(ctrl_state=2)]
    assert len({content_key(gate) for gate in gates}) == len(gates)


def test_numbers_that_a_module_imports_count(tmp_path, monkeypatch):
    from qdreamer_lab.workflow.steps import source_keys

    monkeypatch.syspath_prepend(str(tmp_path))
    below = tmp_path / "numbers_cellar.py"
    below.write_text("FACTOR = 1\n")
    (tmp_path / "using_cellar.py").write_text(
        "from numbers_cellar import FACTOR\ndef f():\n    return FACTOR\n"
    )
    import using_cellar

    before = function_key(using_cellar.f)
    below.write_text("FACTOR = 2\n")
    fresh(source_keys)
    assert function_key(using_cellar.f) != before
