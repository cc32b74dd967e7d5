import ast
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot_kernel.errors import CellError, ShipError
from pilot_kernel.jupyter.cell.free_variables import bound_names, collect, read_names
from pilot_kernel.jupyter.cell.python_source import read_cell
from pilot_kernel.jupyter.worker.payload import pack, unpack
from pilot_kernel.jupyter.worker.run import run_cell


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("x = x + 1\ny = x", "x"),
        ("for i in n:\n  total += i\n  if i: break", "n total"),
        ("def f(a, b=c):\n  return a + g + f(a)", "c g"),
        ("[k * z for k in w if k]", "w z"),
        ("if a:\n  b = 1\nelse:\n  b = 2\nb", "a"),
        ("if a:\n  b = 1\nb", "a b"),
        ("while n:\n  b = 1\nb", "n b"),
        ("with p as f:\n  f", "p"),
        ("class A(B):\n  x = y\n  def m(self): return x, A", "B y x"),
        ("try:\n  import foo\nexcept e as k:\n  k\nfoo", "e foo"),
        ("match v:\n  case p(x=1, y=z) if z > w: z\n  case [a, *b]: b", "v p w"),
        ("import numpy as np\nnp.zeros(k)", "k"),
        ("lambda x: x + y", "y"),
        ("del a\na", "a"),
        ("x[i] = 3\nx.y += 2", "x i"),
        ("await foo(x)", "foo x"),
        ("f'{a!r:>{w}}'", "a w"),
        ("def f():\n  global h\n  h = 1\n  return h", "h"),
    ],
)
def test_the_names_a_cell_reads(cell, names):
    found = [name for name in read_names(ast.parse(cell)) if not name.startswith("__")]
    assert set(found) == set(names.split())


@given(st.permutations(["a = b", "b = c", "c = 1", "d = a + b"]))
def test_what_is_read_first_is_what_would_be_missing(lines):
    cell = "\n".join(lines)
    needed = read_names(ast.parse(cell))
    exec(cell, dict.fromkeys(needed, 0))
    for name in needed:
        with pytest.raises(NameError):
            exec(cell, {other: 0 for other in needed if other != name})


def test_the_names_a_cell_binds():
    tree = ast.parse("import a.b as c\nfor i in x: pass\ndef f():\n  global h\n  h = 1\n(w := 3)")
    assert bound_names(tree) == {"c", "i", "f", "h", "w"}
    assert bound_names(ast.parse("from os import *")) is None


def test_functions_ship_with_their_globals_and_modules_by_name():
    space = {"offset": 4}
    exec("def shift(x): return np.array(x) + offset", space)
    space["np"] = np
    payload = collect(ast.parse("shift([1, 2])"), space)
    assert list(payload.sizes) == ["shift"]
    assert unpack(payload)["shift"]([1, 2]).tolist() == [5, 6]
    assert collect(ast.parse("np"), space).total_bytes < 100
    assert isinstance(unpack(collect(ast.parse("np"), space))["np"], types.ModuleType)


def test_what_the_notebook_itself_put_there_stays_there():
    exiter = object()
    payload = collect(ast.parse("exit, a"), {"exit": exiter, "a": 1}, hidden={"exit": exiter})
    assert list(payload.sizes) == ["a"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("x = 1\nif x\n  y", "line 3 of the cell"),
        ("return 3", "line 2 of the cell: 'return' outside function"),
        ("x = 1\n!ls", "line 3.*'!ls' is notebook syntax"),
        ("%timeit 3", "line 2.*notebook syntax"),
        ("f = !ls", "line 2.*notebook syntax"),
        ("%%time\n3", "line 2.*a cell takes only one cell magic"),
        ("a = '\0'", "null"),
    ],
)
def test_a_cell_that_cannot_run_is_refused(body, told):
    with pytest.raises(CellError, match=told):
        read_cell(body, "%%ctask")


def test_a_cell_runs_in_a_fresh_namespace():
    source = "import asyncio\nawait asyncio.sleep(0)\nb = a + 1\nb * 2"
    value, outputs = run_cell(source, "<cell>", pack({"a": 1}), ("b",)).open()
    assert (value, outputs) == (4, {"b": 2})
    with pytest.raises(CellError, match="without defining c"):
        run_cell("if 0: c = 1", "<cell>", pack({}), ("c",))
    with pytest.raises(ShipError, match=r"last expression \(generator\)"):
        run_cell("(i for i in [])", "<cell>", pack({}))
