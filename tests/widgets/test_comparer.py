"""The comparison of CPU cores and a GPU, against predictions that are asked for one by one."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from qdreamer_lab import MachineProfile, QDreamer, plan_cuts
from qdreamer_lab.dreamer.advice.ranking import TIE
from qdreamer_lab.dreamer.model.coefficients import COEFFICIENTS
from qdreamer_lab.errors import QDreamerError
from qdreamer_lab.widgets import background
from qdreamer_lab.widgets.comparer import Comparer
from qdreamer_lab.widgets.planner import Planner
from qdreamer_lab.widgets.problem import problem_of
from qdreamer_lab.widgets.state import Controls
from tests.circuits.plain import layered, neighbours, uneven_line
from tests.dreamer.advice.test_candidates import tangled
from tests.widgets.conftest import hear

N = 22
EXACT_12 = Controls(6, mode="exact")
EXACT = Controls(N // 2, mode="exact", time_limit_s=5.0)


class Session:
    """A session that runs nothing: local workers, and others with a GPU if that is wanted."""

    def __init__(self, workers=4, gpus=1):
        common = {
            "cores_per_worker": 1,
            "memory_per_worker_bytes": 8 << 30,
            "backend": None,
            "state": None,
        }
        cpu = SimpleNamespace(
            **common, name="laptop", resource="local://", wanted=workers, offers=("CPU",)
        )
        gpu = SimpleNamespace(
            **common, name="cluster", resource="slurm://", wanted=gpus, offers=("GPU",)
        )
        self.pilots = [cpu, gpu] if gpus else [cpu]

    def pilot_statuses(self):
        return self.pilots

    def candidates(self, on=None):
        return [self.pilots[-1] if on in ("gpu", "cluster") else self.pilots[0]]

    def backend(self, on=None):
        return None


@pytest.fixture(autouse=True)
def no_profiles(tmp_path, monkeypatch, steady_planning):
    """Nothing was ever measured here, and planning takes a millisecond."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))


def comparison(session, controls=EXACT, circuit=None):
    circuit = uneven_line(N) if circuit is None else circuit
    observables = neighbours(circuit.num_qubits)
    planner = Planner(problem_of(circuit, observables), QDreamer(session))
    return list(Comparer(planner).steps(controls))[-1][0]


def asked(session, width, **where):
    """Seconds of the plan for a width."""
    circuit, observables = uneven_line(N), neighbours(N)
    plan = plan_cuts(circuit, width, observables=observables)
    found = QDreamer(session).predict(circuit, observables, plan=plan, **where)
    return found.makespan_s


def test_every_time_is_that_of_a_prediction():
    found = comparison(Session())
    assert [kind.label for kind in found.kinds] == ["1 CPU core", "4 CPU cores", "GPU"]
    assert len(found.rows) > 6
    for row in found.rows:
        wanted = (
            asked(Session(1), row.limit),
            asked(Session(), row.limit),
            asked(Session(), row.limit, on="gpu"),
        )
        assert row.seconds == pytest.approx(wanted, rel=1e-9)


def test_the_crossover_is_where_predictions_of_all_widths_cross():
    found = comparison(Session())
    faster = [
        width
        for width in range(2, N + 1)
        if TIE * asked(Session(), width, on="gpu") < asked(Session(), width)
    ]
    assert 2 < faster[0] < N - 2
    assert faster == list(range(faster[0], N + 1))
    assert f"from fragments of {faster[0]} qubits on" in found.sentence
    first = found.runs[0][0]
    assert (found.rows[first].width, found.rows[first - 1].width) == (faster[0], faster[0] - 1)


def test_more_cores_move_the_crossover_and_the_workers_control_is_kept_to():
    wide = replace(EXACT, workers=64)
    found = comparison(Session(4), wide)
    assert [kind.label for kind in found.kinds] == ["1 CPU core", "64 CPU cores", "GPU"]
    row = found.rows[-1]
    assert row.seconds[1] == pytest.approx(asked(Session(4), row.limit, workers=64), rel=1e-9)


def test_where_tasks_run_on_the_gpu_the_others_are_the_cores_of_the_session():
    found = comparison(Session(2, gpus=3), replace(EXACT, on="gpu"))
    assert [kind.label for kind in found.kinds] == ["1 CPU core", "2 CPU cores", "3 GPUs"]
    usual = comparison(Session(2, gpus=3))
    assert found.sentence == usual.sentence
    assert [row.seconds for row in found.rows] == [
        pytest.approx(row.seconds, rel=1e-9) for row in usual.rows
    ]


@pytest.mark.parametrize("session", [None, Session(2, gpus=0)])
def test_without_a_gpu_it_is_one_in_thought(session):
    found = comparison(session)
    assert not found.offered
    assert found.sentence.startswith("There is no GPU here.")
    assert found.kinds[-1].nominal
    assert found.runs
    with_one = comparison(Session(2))  # the same coefficients, as nothing was measured
    if session is not None:
        assert [row.seconds[-1] for row in found.rows] == pytest.approx(
            [row.seconds[-1] for row in with_one.rows], rel=1e-9
        )


def with_measured_gpu(factor):
    """Q-Dreamer with a GPU that was measured, and takes so many times as long as nominal ones."""
    dreamer, nominal = QDreamer(Session()), MachineProfile.nominal()
    factors = [factor if each.name.startswith("gpu_") else 1.0 for each in COEFFICIENTS]
    belief = replace(nominal.belief, values=nominal.belief.values * factors)
    measured = ("measured",) * len(nominal.sources)
    dreamer.engine.keep("gpu", replace(nominal, belief=belief, sources=measured))
    return dreamer


def test_a_slow_gpu_is_faster_nowhere():
    planner = Planner(problem_of(uneven_line(N), neighbours(N)), with_measured_gpu(1e5))
    found = list(Comparer(planner).steps(EXACT))[-1][0]
    assert found.sentence.startswith("At no width of this circuit is a GPU faster")
    assert [kind.nominal for kind in found.kinds] == [True, True, False]
    assert "Times on CPU cores are nominal" in found.sentence


@pytest.mark.parametrize(("factor", "on"), [(1.0, "gpu"), (1e5, None)])
def test_what_is_recommended_goes_by_what_was_measured_of_the_gpu(factor, on):
    planner = Planner(problem_of(tangled(20), neighbours(20)), with_measured_gpu(factor))
    controls = Controls(10, mode="exact")
    best = min(planner.advised(controls), key=lambda one: one.seconds)
    assert best.configuration.on == on


def test_runs_on_cores_make_nothing_known_of_gpus():
    nominal = MachineProfile.nominal()
    observed = replace(nominal, sources=("observed",) * len(nominal.sources))
    assert nominal.gpu_nominal
    assert observed.gpu_nominal
    assert not replace(observed, resource="slurm:// GPU").gpu_nominal
    assert not replace(nominal, sources=("measured",) * len(nominal.sources)).gpu_nominal


def test_the_second_time_nothing_is_priced(monkeypatch):
    planner = Planner(problem_of(uneven_line(12), neighbours(12)), QDreamer(Session()))
    comparer = Comparer(planner)
    before = list(comparer.steps(EXACT_12))[-1]
    monkeypatch.setattr(comparer, "_priced", None)
    assert list(comparer.steps(EXACT_12))[-1] == before
    planner.forget_prices()
    with pytest.raises(TypeError):  # that is, it is priced anew
        list(comparer.steps(EXACT_12))


def test_what_is_priced_is_not_held_against_a_run():
    dreamer = QDreamer(Session())
    planner = Planner(problem_of(uneven_line(12), neighbours(12)), dreamer)
    list(planner.refined(EXACT_12))
    before = dict(dreamer.engine._made)
    list(Comparer(planner).steps(EXACT_12))
    assert dreamer.engine._made == before


def test_sampled_mode_is_compared_in_sampled_mode():
    found = comparison(Session(), Controls(6, mode="sampled"), layered(8))
    assert found.mode == "sampled"
    assert "sampled mode" in found.sentence


def test_a_width_without_a_plan_is_left_out():
    found = comparison(Session(), Controls(1, kinds=("wire",), mode="exact"), layered(3))
    assert [row.width for row in found.rows] == [2, 3]
    with pytest.raises(QDreamerError):
        plan_cuts(layered(3), 1, kinds=("wire",))


# ---- in the explorer


def test_a_session_with_a_gpu_is_compared_unasked(open_explorer):
    explorer = open_explorer(uneven_line(N), neighbours(N), session=Session())
    board = explorer._board
    assert "a GPU is faster than 4 CPU cores from fragments of" in board.caption
    assert board.caption in repr(explorer)
    assert "4 CPU cores  GPU" not in repr(explorer)
    hear(explorer, {"against": "workers"})
    assert "4 CPU cores  GPU" in repr(explorer)
    assert board.caption.rstrip(".") in board.alternatives["tradeoff"]
    names = [trace["name"] for trace in json.loads(board.tradeoff)["data"]]
    assert names[:3] == ["1 CPU core", "4 CPU cores", "GPU"]


def test_without_a_gpu_nothing_is_said_unless_asked(open_explorer):
    explorer = open_explorer(uneven_line(12), neighbours(12), session=Session(gpus=0))
    assert explorer._board.caption == ""
    assert explorer.view.compared is None
    hear(explorer, {"against": "workers"})
    assert explorer._board.caption.startswith("There is no GPU here.")
    hear(explorer, {"against": "width"})
    assert explorer._board.caption == ""
    assert "GPU" not in repr(explorer)


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_the_comparison_arrives_however_often_is_told(open_explorer, monkeypatch, seconds):
    monkeypatch.setattr(background, "_TELL_EVERY_S", seconds)
    explorer = open_explorer(uneven_line(12), neighbours(12), session=Session())
    assert explorer.view.compared is not None
    for width in (3, 7, 5):
        explorer._panel.width.value = width
    assert explorer.wait(60)
    assert not explorer.view.comparing
    assert 5 in {row.width for row in explorer.view.compared.rows}


def test_the_selected_plan_lies_on_the_line(open_explorer):
    explorer = open_explorer(uneven_line(12), neighbours(12), session=Session(), max_qubits=5)
    explorer._panel.mode.value = "exact"
    hear(explorer, {"against": "workers"})
    for width in (3, 7):
        explorer._panel.width.value = width
        assert explorer.wait(60)
        one, figure = explorer.view.selected, json.loads(explorer._board.tradeoff)
        (ring,) = [trace for trace in figure["data"] if trace["name"] == "selected"]
        (line,) = [trace for trace in figure["data"] if trace["name"] == "4 CPU cores"]
        assert (ring["x"], ring["y"]) == ([one.width], [pytest.approx(one.seconds)])
        assert ring["y"][0] == pytest.approx(line["y"][line["x"].index(one.width)], rel=1e-6)


def test_a_click_on_a_line_selects_the_width(open_explorer):
    explorer = open_explorer(uneven_line(12), neighbours(12), session=Session(), max_qubits=5)
    explorer._panel.mode.value = "exact"
    hear(explorer, {"against": "workers"})
    data = json.loads(explorer._board.tradeoff)["data"]
    (line,) = [trace for trace in data if trace["name"] == "GPU"]
    picks = [(x, pick) for x, pick in zip(line["x"], line["customdata"], strict=True)]
    width, pick = next(pair for pair in picks if pair[1] is not None and pair[0] > 6)
    hear(explorer, {"click": pick, "serial": explorer._board.stamp["serial"]})
    assert explorer.view.selected.width == width


def test_a_gpu_that_is_much_faster_is_recommended_and_marked(open_explorer):
    explorer = open_explorer(tangled(20), neighbours(20), session=Session())
    best = explorer.view.recommended
    assert best.configuration.on == "gpu"
    assert explorer.view.selected is best
    hear(explorer, {"against": "workers"})
    data = json.loads(explorer._board.tradeoff)["data"]
    (star,) = [trace for trace in data if trace["name"] == "recommended"]
    assert (star["x"], star["y"]) == ([best.width], [pytest.approx(best.seconds)])
