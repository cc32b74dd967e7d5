"""Progress reads well in a terminal, in a notebook and in a log."""

import io
import sys
from dataclasses import replace

import numpy as np
import pytest

from qdreamer_lab.workload.execution.decisions import Decision
from qdreamer_lab.workload.execution.progress import FragmentProgress, ProgressLine, Report

FRAGMENTS = (FragmentProgress(0, 3, 4), FragmentProgress(1, 4, 4))
REPORTS = (
    Report(FRAGMENTS, shots=50, shots_total=100),
    Report(FRAGMENTS, shots=100, shots_total=100, evs=np.array([0.5]), stds=np.array([0.01])),
    Report(FRAGMENTS, shots=100, shots_total=100, over=True),
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Notebook(io.StringIO):
    """What a kernel has for stdout."""


Notebook.__module__ = "ipykernel.iostream"


def shown(monkeypatch, out, err):
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    line = ProgressLine()
    for report in REPORTS:
        line(report)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("notebook", [False, True])
def test_one_line_is_redrawn_where_that_can_be(monkeypatch, notebook):
    out, err = (Notebook(), io.StringIO()) if notebook else (io.StringIO(), Terminal())
    texts = shown(monkeypatch, out, err)
    text, other = texts if notebook else texts[::-1]
    assert other == ""
    assert text.count("\r") == 3
    assert text.count("\n") == 1
    assert "fragment 0 3/4, fragment 1 4/4, 100/100 shots, ⟨0⟩ = +0.5000 ± 0.0100" in text


def test_a_log_gets_the_end_only(monkeypatch):
    out, err = shown(monkeypatch, io.StringIO(), io.StringIO())
    assert out == ""
    assert err == "fragment 0 3/4, fragment 1 4/4, 100/100 shots\n"


def test_many_fragments_are_counted_together():
    report = Report(tuple(FragmentProgress(k, 1, 2) for k in range(9)))
    assert str(report) == "9 fragments 9/18"


def test_a_decision_gets_a_line_that_stays(monkeypatch):
    decision = Decision(0.8, 2, 1, "worker count went from 2 to 1")
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        line = ProgressLine()
        for report in REPORTS:
            line(replace(report, decisions=(decision,)))
        lines = stream.getvalue().splitlines()
        assert sum(decision.reason in one for one in lines) == 1
        assert len(stream.getvalue().split("\n")) == 3
