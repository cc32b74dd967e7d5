"""What tracebacks show of a cell that failed on its worker."""

from pilot_kernel.errors import TaskFailedError
from pilot_kernel.jupyter.cell.tracebacks import clean


def test_tracebacks_name_the_cell_and_show_helpers_of_other_cells(kernel):
    kernel.run("def helper(divisor):\n    # a helper's own line\n    return 1 / divisor")
    helper = int(kernel.run("len(In) - 2").result)
    answer = kernel.run("%%ctask\nhelper(0)")
    cell = int(kernel.run("len(In) - 2").result)
    assert f"Cell In[{cell}], line 2\n" in answer.traceback
    assert f"Cell In[{helper}], line 3, in helper" in answer.traceback
    assert "---->    3     return 1 / divisor" in answer.traceback
    told = kernel.run(
        "%%ctask\nimport traceback\ntry: helper(0)\nexcept Exception: traceback.print_exc()"
    )
    assert "return 1 / divisor" in told.text("stderr")


def test_a_traceback_told_in_words_leaves_our_machinery_out():
    ours = '  File "/lib/pilot_kernel/task/call.py", line 4, in call\n    fn()\n    ^^^^\n'
    own = '  File "/tmp/cell.py", line 2, in <module>\n    raise Own\n'
    told = "Own: said\nTraceback (most recent call last):\n{}Own: said"
    error = TaskFailedError(told.format(f"{ours}{own}{ours}"))
    assert str(clean(error, None)) == told.format(own)
