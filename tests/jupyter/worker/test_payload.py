"""Values on their way to a worker."""

import ast
import inspect
import linecache
import threading

import numpy as np
import pytest

from pilot_kernel.errors import ShipError
from pilot_kernel.jupyter.cell.free_variables import collect
from pilot_kernel.jupyter.worker.payload import pack, unpack


def test_functions_keep_their_file_and_cells_their_text_on_the_way():
    source = "def f(x):\n    def g(): return x\n    return g\n"
    linecache.cache["<some cell>"] = (len(source), None, source.splitlines(True), "<some cell>")
    space = {}
    exec(compile(source, "<some cell>", "exec"), space)
    payload = collect(ast.parse("f"), space)
    del linecache.cache["<some cell>"]
    sent = unpack(payload)["f"]
    assert inspect.getsource(sent) == source
    assert sent(1).__code__.co_filename == "<some cell>"
    assert payload.sources == {"<some cell>": source}


def test_what_variables_share_stays_shared():
    shared = [1]
    values = unpack(pack({"a": [shared], "b": shared}))
    assert values["a"][0] is values["b"]


def test_a_variable_that_cannot_be_sent_is_named():
    with pytest.raises(ShipError, match=r"^held \(dict\) cannot be sent: .*lock"):
        collect(ast.parse("ok, held"), {"ok": 1, "held": {"lock": threading.Lock()}})


def test_a_payload_over_the_limit_names_the_variable_that_is_too_large():
    space = {"small": np.zeros(1000), "large": np.zeros(10**6)}
    with pytest.raises(ShipError, match=r"^large is too large.*1 MB.*small \(8.*kB\)"):
        collect(ast.parse("small, large"), space, limit_bytes=10**6)
    with pytest.raises(ShipError, match="-i nothing"):
        collect(ast.parse("1"), space, only=["nothing"])
