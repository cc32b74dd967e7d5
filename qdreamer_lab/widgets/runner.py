"""Run and Stop: runs the selected candidate in a thread, and reports by changing the state.

Runs and learns as `Recommendation.run` does, but the plan stays the one that was selected when
workers come or go.
"""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from pilot_kernel.errors import PilotError
from qdreamer_lab.dreamer.advice.run_prediction import learn, run_prediction
from qdreamer_lab.dreamer.report_text import seconds_text
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets.cost_table import values_text
from qdreamer_lab.widgets.state import Run
from qdreamer_lab.workload.execution.limits import limit_bytes, task_limit_bytes
from qdreamer_lab.workload.execution.memory import readable
from qdreamer_lab.workload.modes import EXACT
from qdreamer_lab.workload.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from qdreamer_lab.dreamer.advice.run_prediction import Ran
    from qdreamer_lab.widgets.planner import Planner
    from qdreamer_lab.widgets.state import Candidate, Controls, View
    from qdreamer_lab.workload.execution.chunk import FragmentRow
    from qdreamer_lab.workload.execution.decisions import Decision
    from qdreamer_lab.workload.execution.progress import Report

__all__ = ["AFFORDABLE_S", "LONG_S", "Runner"]

AFFORDABLE_S = 5.0
"""An exact value to compare with is worth this much time, as predicted."""

LONG_S = 60.0
"""Runs that are predicted to take longer start only if they are asked for twice."""

_TELL_EVERY_S = 0.2


class Runner:
    """Runs one candidate at a time.

    Args:
        planner: Knows the problem and where runs happen.
        post: Changes the state.
    """

    def __init__(self, planner: Planner, post: Callable[[Callable[[View], View]], None]) -> None:
        self._planner = planner
        self._post = post
        self._stop = threading.Event()
        self._future: Future[None] | None = None

    def start(self, view: View) -> View:
        """Run what is selected; nothing happens while something runs, or if it cannot run.

        What is predicted to take long, or more memory than is free, is asked about first.
        """
        candidate = view.selected
        if candidate is None or view.run.active:
            return view
        if candidate.prediction is None:
            return replace(
                view, run=Run("failed", candidate, text=f"This cannot run: {candidate.refused}")
            )
        asked = view.asked is not None and view.asked.sameness == candidate.sameness
        question = "" if asked else self._question(candidate)
        if question:
            return replace(view, asked=candidate, question=question)
        view = replace(view, asked=None, question="")
        self._stop = stop = threading.Event()
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cut-explorer-run")
        exact = self._cheap_exact(view)
        future = executor.submit(self._work, candidate, exact, view.controls, stop)
        executor.shutdown(wait=False)
        future.add_done_callback(lambda done: self._over(candidate, done))
        self._future = future
        return replace(
            view, run=Run("running", candidate, text=f"Running {self._where(candidate)}")
        )

    def _question(self, candidate: Candidate) -> str:
        """Why somebody may not want to run this; empty for no reason."""
        prediction = candidate.prediction
        assert prediction is not None, "what cannot run is refused before"
        free, needed = self._free_bytes(candidate), prediction.memory_bytes
        reasons = []
        if prediction.makespan_s > LONG_S:
            low, high = map(seconds_text, prediction.interval)
            took = seconds_text(prediction.makespan_s)
            reasons.append(f"is predicted to take {took} ({low} to {high})")
        if needed > free:
            reasons.append(
                f"may need up to {readable(needed)} of memory, where {readable(free)} are free"
            )
        if not reasons:
            return ""
        return (
            f"Not started: this {' and '.join(reasons)}. Press \N{LEFT DOUBLE QUOTATION MARK}Run "
            "anyway\N{RIGHT DOUBLE QUOTATION MARK} to start it all the same, or select another "
            "plan."
        )

    def _free_bytes(self, candidate: Candidate) -> int:
        """Memory that a process of the run may take."""
        way = candidate.configuration
        session = None if way.in_process else self._planner.place(way.on).session
        with contextlib.suppress(PilotError, ValueError):  # no worker is there to be asked
            return task_limit_bytes(None, session, way.on)
        return limit_bytes(None)

    def _cheap_exact(self, view: View) -> Candidate | None:
        """An exact way to get the values that a sampled run estimates, if one is cheap."""
        candidate = view.selected
        if candidate is None or candidate.configuration.exact:
            return None
        if self._planner.place(view.controls.on).backend is not None:
            return None
        controls = replace(view.controls, mode=EXACT.name)
        exact = (*self._planner.known(controls), *self._planner.first(controls))
        cheap = [other for other in exact if other.seconds <= AFFORDABLE_S]
        return min(cheap, key=lambda other: other.seconds, default=None)

    def stop(self, view: View) -> View:
        """Stop the run."""
        if not view.run.active:
            return view
        self._stop.set()
        return replace(view, run=replace(view.run, status="stopping", text="Stopping"))

    def close(self) -> None:
        """Stop whatever runs."""
        self._stop.set()

    def _where(self, candidate: Candidate) -> str:
        way = candidate.configuration
        if way.in_process or self._planner.place(way.on).session is None:
            return "in this process"
        return f"on {way.on or 'the pilots of the session'}"

    def _work(
        self,
        candidate: Candidate,
        exact: Candidate | None,
        controls: Controls,
        stop: threading.Event,
    ) -> None:
        teller = _Teller(self._post, candidate)
        ran = self._run(candidate, controls, stop, teller)
        if learn(self._planner.dreamer.engine, ran):
            self._planner.forget_prices()
        result = ran.result
        decisions = RunRecord.of(result).decisions
        text = f"Done {_beside(candidate, ran)}{_decided(decisions)}"
        self._post(_became(Run("done", candidate, text=text, result=result)))
        if exact is not None and not stop.is_set():
            with contextlib.suppress(QDreamerError, PilotError, CancelledError):
                value = self._run(exact, controls, stop, None).result
                text += f" Exact value: {values_text(value)}."
                self._post(_became(Run("done", candidate, text=text, result=result, exact=value)))

    def _run(
        self,
        candidate: Candidate,
        controls: Controls,
        stop: threading.Event,
        teller: _Teller | None,
    ) -> Ran:
        assert candidate.prediction is not None, "what cannot run is refused before"
        planner = self._planner
        place = planner.place(candidate.configuration.on)
        if planner.lost:
            raise QDreamerError(
                f"the session is gone: {planner.lost} Plans can still be explored; for runs open "
                "a new session and a new explorer"
            )
        circuit, _ = planner.problem.bound(controls.values)
        return run_prediction(
            candidate.prediction,
            (circuit, planner.problem.observables),
            session=place.session,
            workers=place.workers,
            precision=controls.precision,
            progress=teller or False,
            stop=stop,
        )

    def _over(self, candidate: Candidate, done: Future[None]) -> None:
        error = done.exception()
        if error is None:
            return
        if isinstance(error, CancelledError):
            self._post(lambda view: replace(view, run=_ended(view.run, "stopped", "Stopped.")))
            return
        text = f"The run failed: {error}" if str(error) else f"The run failed: {error!r}"
        self._post(lambda view: replace(view, run=_ended(view.run, "failed", text)))


def _ended(run: Run, status: str, text: str) -> Run:
    return replace(run, status=status, text=text)


def _became(run: Run) -> Callable[[View], View]:
    return lambda view: replace(view, run=run)


def _beside(candidate: Candidate, ran: Ran) -> str:
    result, first_s = ran.result, ran.prediction.first_run_s
    took = seconds_text(RunRecord.of(result).makespan_s)
    exact = ", exact" * candidate.configuration.exact
    loading = f", and about {seconds_text(first_s)} more the first time, to load code" * (
        first_s > 0
    )
    return (
        f"in {took}, {seconds_text(candidate.seconds)} were predicted{loading}. "
        f"Value: {values_text(result)}{exact}."
    )


def _decided(decisions: Sequence[Decision]) -> str:
    """What was decided last because workers came or went."""
    if not decisions:
        return ""
    text = str(decisions[-1]).rstrip(".")
    return f" {text[0].upper()}{text[1:]}."


class _Teller:
    """Progress of a run as changes of the state, a few times a second."""

    def __init__(
        self, post: Callable[[Callable[[View], View]], None], candidate: Candidate
    ) -> None:
        self._post = post
        self._candidate = candidate
        self._rows: list[FragmentRow] = []
        self._told = time.monotonic()

    def __call__(self, report: Report) -> None:
        if report.row is not None:
            self._rows.append(report.row)
        now = time.monotonic()
        if now - self._told < _TELL_EVERY_S and not report.over:
            return
        self._told = now
        rows = tuple(self._rows)
        text = f"Running: {report}.{_decided(report.decisions)}"

        def change(view: View) -> View:
            if not view.run.active or view.run.candidate is not self._candidate:
                return view
            return replace(view, run=replace(view.run, rows=rows, text=text))

        self._post(change)
