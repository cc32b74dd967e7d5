"""Motifs as such: presets, checks, reports, places that are too small, giving up."""

import json
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from pilot_kernel.errors import PlacementError
from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow import registry
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Curve, Outcome
from qdreamer_lab.workflow.report import MotifReport
from qdreamer_lab.workflow.timed_call import Split


def pause(seconds, value=None):
    time.sleep(seconds)
    return value


def half(seconds):
    time.sleep(seconds)
    return Split(seconds, {"communication": seconds / 2})


def doubled(values):
    return [2 * value for value in values]


def failing():
    raise ArithmeticError("no")


@dataclass(frozen=True, kw_only=True)
class Naps(Motif):
    name: ClassVar[str] = "naps"
    title: ClassVar[str] = "Naps"
    presets: ClassVar = {"paper": {"naps": 100}}
    grows: ClassVar = ("naps",)

    naps: int = 4
    nap_s: float = 0.05
    widths: tuple[int, ...] = (3, 4)
    want_cores: int = 1
    want_bytes: int = 0
    fail: bool = False

    def __post_init__(self):
        self.at_least(naps=1, nap_s=0)
        self.one_of(fail=(True, False))

    def cores(self):
        return self.want_cores

    def memory_bytes(self):
        return self.want_bytes

    def work(self, run):
        works = [run.submit("quantum", pause, self.nap_s, k) for k in range(self.naps)]
        split = run.submit("quantum", half, self.nap_s, options={"on": self.on})
        last = run.submit("classical", doubled, [*works, split])
        if self.fail:
            run.submit("classical", failing).result()
        with run.doing("classical"):
            time.sleep(self.nap_s)
        run.between_ranks(30, 3000)
        return Outcome(
            values={"sum": sum(last.result()[:-1])},
            rows=({"nap": np.int64(1), "s": self.nap_s},),
            curves=(Curve(name="c", x=(1.0, 2.0), y=(3.0, 4.0), x_title="x", y_title="y"),),
            notes=("a note",),
            data=threading.Lock(),
        )


@pytest.fixture(scope="module")
def report(session):
    return Naps().run(session)


def test_a_report_tells_what_was_found_and_where_time_went(report):
    assert report.values["sum"] == 2 * (0 + 1 + 2 + 3)
    assert report.workers == 2
    spent, traffic = report.spent, report.traffic
    assert sum(spent.parts().values()) == pytest.approx(spent.wall_s)
    # Four naps and a half, over two workers. Naps never end early, but a task may begin before the
    # one before it is known to be over, and that counts once.
    assert spent.quantum_s >= 0.5 * 4.5 * 0.05 / 2
    assert spent.communication_s >= 0.5 * 0.5 * 0.05 / 2
    assert traffic.tasks == 6
    assert traffic.messages == 6 + 1 + 5  # calls, one result, five results passed on
    assert min(traffic.sent_bytes, traffic.received_bytes, traffic.passed_bytes) > 0
    assert (traffic.rank_messages, traffic.rank_bytes) == (30, 3000)
    metrics, wall = report.metrics, spent.wall_s
    assert metrics["tasks_per_s"] == pytest.approx(6 / wall)
    assert metrics["messages_per_s"] == pytest.approx(42 / wall)
    sizes = (traffic.sent_bytes, traffic.received_bytes, traffic.passed_bytes, 3000)
    assert metrics["bytes_per_s"] == pytest.approx(sum(sizes) / wall)


def test_a_report_survives_json(report):
    again = MotifReport.from_json(report.to_json())
    assert again.text() == report.text()
    assert again.metrics == report.metrics
    assert again.to_json() == report.to_json()
    told = json.loads(report.to_json())
    assert told["metrics"]["tasks"] == 6
    assert told["outcome"]["rows"] == [{"nap": 1, "s": 0.05}]
    assert "widths=3,4" in again.text()
    for wrong in ("{}", "nonsense", "[]", '{"metrics": 1}'):
        with pytest.raises(MotifError, match="not a report of a motif"):
            MotifReport.from_json(wrong)


def test_a_report_is_shown(report):
    assert "Naps: " in str(report)
    assert "sum: 12" in report.text()
    assert "a note" in report._repr_html_()
    for dark in (False, True):
        drawn = report.figure(dark=dark).to_plotly_json()
        bars = {trace["name"]: trace["x"][0] for trace in drawn["data"] if trace["type"] == "bar"}
        assert bars == report.spent.parts()
        (line,) = [trace for trace in drawn["data"] if trace["type"] == "scatter"]
        assert (line["x"], line["y"]) == ([1.0, 2.0], [3.0, 4.0])


def test_presets_and_settings():
    assert Naps.small() == Naps()
    assert Naps.paper().naps == 100
    assert Naps.paper().set(["naps=7", "on=cpu"]) == Naps(naps=7, on="cpu")
    with pytest.raises(MotifError, match="preset 'huge': naps has small, paper"):
        Naps.preset("huge")
    with pytest.raises(MotifError, match="naps: naps=0: at least 1"):
        Naps().set(["naps=0"])
    for wrong in (True, 2.0, "3", float("nan")):
        with pytest.raises(MotifError, match="a whole number, at least 1"):
            Naps(naps=wrong)
    for wrong in (float("nan"), float("inf"), -0.1):
        with pytest.raises(MotifError, match=r"nap_s=.*: at least 0"):
            Naps(nap_s=wrong)
    assert Naps(nap_s=1).nap_s == 1


def test_motifs_grow():
    assert Naps().grown(1) == Naps()
    assert Naps().grown(3) == Naps(naps=12)
    state = registry.motif("state-vector")()
    assert state.grown(4).qubits == state.qubits + 2
    assert state.grown(3) is None
    learning = registry.motif("learning")()
    twice = learning.grown(2)
    assert twice.minibatch == 2 * learning.minibatch
    assert twice.samples**2 == pytest.approx(2 * learning.samples**2, rel=0.02)
    assert 3 * twice.samples >= 4 * twice.minibatch  # a mini-batch is not cut short
    assert learning.grown(8) is None
    for name in ("circuit-execution", "circuit-cutting", "variational", "pipeline"):
        assert registry.motif(name)().grown(2) is not None


@dataclass(frozen=True, kw_only=True)
class Chain(Motif):
    name: ClassVar[str] = "chain"
    title: ClassVar[str] = "Chain"

    def work(self, run):
        first = run.submit("quantum", pause, 0.4, 1)
        second = run.submit("classical", doubled, [first, first])
        second.result()
        return Outcome()


def test_a_worker_waits_for_what_a_task_takes(session):
    spent = Chain().run(session).spent
    assert spent.waiting_s >= 0.5 * 0.4 / 2  # one of two, while the other naps
    assert spent.quantum_s >= 0.5 * 0.4 / 2


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -5.0])
def test_an_agents_clock_may_be_off(session, monkeypatch, ahead):
    history = session.history

    def elsewhere(keys):
        moved = ("queued", "started", "finished")
        return [
            replace(
                one, **{name: getattr(one, name) and getattr(one, name) + ahead for name in moved}
            )
            for one in history(keys)
        ]

    monkeypatch.setattr(session, "history", elsewhere)
    spent = Naps().run(session).spent
    assert sum(spent.parts().values()) == pytest.approx(spent.wall_s)
    assert spent.quantum_s >= 0.5 * 4.5 * 0.05 / 2
    assert spent.overhead_s + spent.waiting_s < spent.wall_s


def test_a_place_that_is_too_small_is_told_what_is_needed(session):
    with pytest.raises(MotifError, match=r"naps needs 64 cores .* have 2; add one with"):
        Naps(want_cores=64).run(session)
    with pytest.raises(MotifError, match=r"naps needs 1.02e\+03 GiB for a task"):
        Naps(want_bytes=2**40).run(session)
    with pytest.raises(PlacementError, match="nowhere"):
        Naps(on="nowhere").run(session)


def test_an_error_of_a_task_is_the_motifs(session):
    with pytest.raises(ArithmeticError, match="no"):
        Naps(fail=True).run(session)


def test_it_can_be_given_up(session):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        Naps().run(session, stop=stop)


def test_all_motifs_are_found_and_say_what_they_are():
    for name in registry.motif_names():
        kind = registry.motif(name)
        assert kind.name == name
        assert kind.title
        assert kind.paper() != kind.small() == kind()
    with pytest.raises(MotifError, match=r"no motif 'x'; there are circuit-execution"):
        registry.motif("x")


class Point:
    def __init__(self, name, value, found):
        self.name, self.value, self.found = name, value, found

    def load(self):
        if self.found is None:
            raise ImportError("no module")
        return self.found


def test_motifs_of_other_packages_are_found(monkeypatch):
    points = [Point("naps", "some:Naps", Naps), Point("broken", "none:X", None)]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    assert registry.motif("naps") is Naps
    assert registry.motif_names()[-2:] == ["broken", "naps"]
    with pytest.raises(MotifError, match="'none:X', which cannot be loaded: no module"):
        registry.motif("broken")
