"""Values on their way to a worker."""

import ast
import inspect
import linecache

from pilot_kernel.jupyter.cell.free_variables import collect
from pilot_kernel.jupyter.worker.payload import unpack


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
