"""The thread that refreshes what is live, and what it lets go of."""

import pytest

from pilot_kernel.jupyter.show.live_output import LiveOutput
from pilot_kernel.jupyter.show.refresh import Refresher, cell_of, gone_cells
from tests.conftest import wait_until
from tests.jupyter.show.sent_outputs import Sent, content, looks

THREADS = "import threading\nsum(t.name == 'pilot-views' for t in threading.enumerate())"


def test_a_canceled_background_cell_leaves_the_live_views_alone(kernel):
    kernel.run("get_ipython()._pilot_kernel_live.refresher.clear()")
    kernel.run("import pilot_kernel\nsession = pilot_kernel.session()")
    kernel.run("session")
    kernel.run("%%ctask --noblock --name gone\nimport time\nwhile True: time.sleep(0.01)")
    answer = kernel.run("%cancel gone")
    assert answer.text().startswith("canceled: gone-")
    views = "len(get_ipython()._pilot_kernel_live.refresher.views)"
    wait_until(lambda: kernel.run(views).result == "1")
    answer = kernel.run(THREADS)
    assert answer.result == "1"
    assert not answer.streams


@pytest.fixture
def refresher():
    made = Refresher(period_s=0.01)
    yield made
    made.clear()
    wait_until(lambda: made._thread is None)


def test_a_view_is_refreshed_until_its_last_cell_is_gone(refresher):
    count = iter(range(10**9))
    sent = Sent()
    output = LiveOutput(lambda: content(next(count)), sent)
    output.show()
    refresher.keep(output, "one")
    refresher.keep(output, "two")
    wait_until(lambda: len(sent) > 3)
    refresher.forget({"one", "other"})
    assert refresher.views == [output]
    refresher.forget({"two"})
    assert refresher.views == []
    wait_until(lambda: refresher._thread is None)


def test_a_view_that_is_over_ends_the_thread_and_is_repeated_in_the_next_cell(refresher):
    sent = Sent()
    output = LiveOutput(looks(content("a"), content("end", over=True)), sent)
    output.show()
    refresher.keep(output, None)
    refresher.forget({"one"})  # where it is shown is not known: it stays
    wait_until(lambda: refresher._thread is None)
    assert sent == [("a 0", False), ("end 0", True)]
    refresher.settle()
    refresher.settle()
    assert sent[2:] == [("end 0", True)]


def test_a_view_can_be_kept_after_the_thread_has_ended(refresher):
    first, second = Sent(), Sent()
    for sent in (first, second):
        output = LiveOutput(looks(content("a"), content("end", over=True)), sent)
        output.show()
        refresher.keep(output, None)
        wait_until(lambda: refresher._thread is None)
        assert sent[-1] == ("end 0", True)


class Asked:
    """A shell in whose kernel a request is being answered."""

    def __init__(self, **metadata):
        self.metadata = metadata

    def get_parent(self):
        return {"metadata": self.metadata}


def test_the_request_says_which_cells_are_gone():
    assert gone_cells(Asked(cellId="a", deletedCells=["b", "c"])) == {"a", "b", "c"}
    assert cell_of(Asked(cellId="a")) == "a"
    assert gone_cells(Asked()) == set()
    assert cell_of(Asked()) is None
    assert gone_cells(object()) == set()


def test_a_view_that_fails_does_not_end_the_others(refresher, caplog):
    class Bad(LiveOutput):
        def refresh(self):
            raise ValueError("no picture")

    sent = Sent()
    good = LiveOutput(looks(content(1), content(2)), sent)
    refresher.keep(Bad(looks(content(0)), sent), "a")
    refresher.keep(good, "a")
    wait_until(lambda: len(sent) > 1)
    wait_until(lambda: refresher.views == [good])
    assert "a live view ended" in caplog.text
