"""What a cell displays on its worker."""

import base64
import json
import subprocess
import sys
import textwrap

import pytest
from IPython.utils.capture import capture_output

from pilot_kernel.jupyter.worker import display_capture
from pilot_kernel.jupyter.worker.display_message import (
    LIMIT_BYTES,
    DisplayMessage,
    decode,
)
from pilot_kernel.resource import registry
from tests.conftest import wait_until

RICH = """\
class Rich:
    def __init__(self, text): self.text = text
    def _repr_html_(self): return f'<b>{self.text}</b>'
"""


@pytest.fixture
def shown(run):
    """Run a cell and give what it displayed, by MIME type."""

    def run_cell(text):
        with capture_output() as got:
            outcome = run.shell.run_cell(text)
        run_cell.error = outcome.error_in_exec or outcome.error_before_exec
        run_cell.text = got.stdout + got.stderr
        return [each.data for each in got.outputs]

    return run_cell


def test_displays_come_in_order_with_what_is_printed(kernel):
    answer = kernel.run(
        f"%%ctask --progress-after 60\n{RICH}"
        "from IPython.display import HTML, clear_output, display, update_display\n"
        "print('one')\ndisplay(Rich('two'), display_id='place')\nprint('three')\n"
        "update_display(Rich('four'), display_id='place')\nclear_output(wait=True)\n"
        "display(HTML('<i>five</i>'))\nprint('six')\nRich('seven')"
    )
    assert answer.order == [
        "one\n",
        "<b>two</b>",
        "three\n",
        "clear_output",
        "<i>five</i>",
        "six\n",
        "<b>seven</b>",
    ]
    assert answer.displays[0] == {"display_id": "place"}
    assert "<b>four</b>" in [data.get("text/html") for data in answer.updates]


def test_what_is_printed_to_both_streams_comes_in_order(kernel):
    answer = kernel.run(
        "%%ctask --progress-after 60\nimport sys\nfor step in range(3):\n"
        "    print('out', step)\n    print('err', step, file=sys.stderr)"
    )
    whole = [answer.streams[0]]
    for stream, text in answer.streams[1:]:
        if stream == whole[-1][0]:
            whole[-1] = stream, whole[-1][1] + text
        else:
            whole.append((stream, text))
    assert whole == [
        (stream, f"{word} {step}\n")
        for step in range(3)
        for stream, word in (("stdout", "out"), ("stderr", "err"))
    ]


def test_under_voila_figures_of_plotly_travel_as_html(new_kernel, monkeypatch, tmp_path):
    # JupyterLab's extension for their own type logs "setData is not a function" there.
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    name = str(tmp_path / "dashboard.ipynb")
    kernel = new_kernel(name)
    figure = "import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1, 3, 2]))"
    for cell in (figure, f"%%ctask\n{figure}", f"%%ctask\n{figure}.show()"):
        answer = kernel.run(cell)
        assert "Plotly.newPlot" in answer.shown[-1]["text/html"]
        assert not any("plotly" in kind for data in answer.shown for kind in data)
    kernel.end()
    wait_until(lambda: registry.find(name) is None)


def test_display_needs_no_import_and_works_in_functions_of_the_notebook(run, shown):
    run(f"{RICH}def tell(what): display(Rich(what))")
    assert [data.get("text/html") for data in shown("%%ctask\ntell('a')\ndisplay(3)")] == [
        "<b>a</b>",
        None,
    ]


def test_figures_of_plotly_are_shown_by_their_own_type(shown):
    [data, _] = shown(
        "%%ctask\nimport plotly.graph_objects as go\nfigure = go.Figure(go.Scatter(y=[1, 4]))\n"
        "figure.show()\ndisplay(figure)"
    )
    assert data["application/vnd.plotly.v1+json"]["data"][0]["y"] == [1, 4]


def test_a_representation_that_fails_is_told_and_costs_nothing_else(shown):
    cell = "%%ctask\nclass Bad:\n    def _repr_html_(self): raise ValueError('no picture')\n"
    [data] = shown(f"{cell}display(Bad())\nprint('on')")
    assert list(data) == ["text/plain"]
    assert "ValueError: no picture" in shown.text
    assert shown.text.startswith("on\n")


def test_a_value_that_cannot_be_sent_is_shown_if_there_is_more_to_it_than_a_repr(shown):
    cell = f"%%ctask\nimport threading\n{RICH}value = Rich('locked')\n"
    [data] = shown(f"{cell}value.lock = threading.Lock()\nvalue")
    assert data["text/html"] == "<b>locked</b>"
    assert "(Rich) cannot be sent" in shown.text
    assert shown("%%ctask\nimport threading\nthreading.Lock()") == []
    assert "cannot be sent" in str(shown.error)


def test_a_display_that_is_too_large_says_so(shown):
    [data] = shown(f"%%ctask\n{RICH}display(Rich('x' * {LIMIT_BYTES}))")
    assert list(data) == ["text/plain"]
    assert "not shown: this display takes 8 MB (text/html), 8 MB are allowed" in data["text/plain"]


def test_a_cell_that_displays_without_end_is_told_when_it_is_enough(monkeypatch):
    monkeypatch.setattr(display_capture, "_ALL_BYTES", 1000)
    chunks = []
    shown = display_capture.DisplayCapture(lambda stream, text: chunks.append((stream, text)))
    for _ in range(9):
        shown.show(DisplayMessage({"text/html": "x" * 300}))
    assert [stream for stream, _ in chunks] == ["display"] * 3 + ["stderr"]
    assert "1 kB were displayed" in chunks[-1][1]


def test_what_is_displayed_is_no_text_of_the_output(run, shown):
    shown(f"%%ctask --name both\n{RICH}print('said')\ndisplay(Rich('shown'))")
    task = run("%qresult --task both")
    assert task.output.text() == "said\n"
    [data] = shown("%qresult both")
    assert data["text/html"] == "<b>shown</b>"


MATPLOTLIB = {
    "__init__": "import os\nbackend = os.environ['MPLBACKEND']\ndef use(wanted): pass",
    "figure": """
        class Figure:
            axes, lines, dpi = [1], [], 100
            def __init__(self, number):
                self.number, self.canvas = number, self
            def get_facecolor(self): return 'w'
            get_edgecolor = get_facecolor
            def print_figure(self, file, **how): file.write(b'PNG %d' % self.number)
    """,
    "pyplot": """
        from matplotlib.figure import Figure
        figures = {}
        def figure(number=None):
            number = number or len(figures) + 1
            return figures.setdefault(number, Figure(number))
        def get_fignums(): return list(figures)
        def close(which): figures.clear()
    """,
}


"""As much of matplotlib as figures take, in its own words: pyplot's list of open figures, and the
calls with which IPython prints one."""


ON_A_WORKER = """
import json, os, sys
from pilot_kernel.jupyter.worker import run
from pilot_kernel.jupyter.worker.payload import pack
chunks = []
run.emit = lambda stream, text: chunks.append((stream, text))
for cell in json.loads(sys.argv[1]):
    try:
        value, _ = run.run_cell(cell, "<cell>", pack({})).open()
    except ZeroDivisionError:
        value = "failed"
    print(json.dumps({"value": repr(value), "chunks": chunks, "IPython": "IPython" in sys.modules}))
    chunks.clear()
"""


def on_a_worker(tmp_path, *cells):
    """Run cells in a fresh process, with a small matplotlib of our own."""
    package = tmp_path / "matplotlib"
    package.mkdir()
    for name, source in MATPLOTLIB.items():
        (package / f"{name}.py").write_text(textwrap.dedent(source))
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}){ON_A_WORKER}"
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(cells)], capture_output=True, text=True
    )
    assert not done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_figures_left_open_are_shown_at_the_end_and_closed(tmp_path):
    plain, left, value, failed, after, backend = on_a_worker(
        tmp_path,
        "1 + 1",
        "from matplotlib import pyplot as plt\nplt.figure()\nplt.figure()\n7",
        "from matplotlib import pyplot as plt\nplt.figure()\nfigure = plt.figure()\nfigure",
        "from matplotlib import pyplot as plt\nplt.figure()\n1 / 0",
        "from matplotlib import pyplot as plt\nplt.get_fignums()",
        "import matplotlib\nmatplotlib.backend",
    )
    assert (plain["chunks"], plain["IPython"]) == ([], False)
    assert pictures(left) == [b"PNG 1", b"PNG 2"]
    assert pictures(value) == [b"PNG 1"]  # the notebook shows the value itself
    assert (pictures(failed), failed["value"]) == ([b"PNG 1"], "'failed'")
    assert (after["value"], after["chunks"]) == ("[]", [])
    assert backend["value"] == "'module://matplotlib_inline.backend_inline'"


def pictures(ran):
    shown = [decode(text) for stream, text in ran["chunks"] if stream == "display"]
    return [base64.b64decode(each.data["image/png"]) for each in shown]
