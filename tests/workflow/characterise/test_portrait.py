"""Portraits: runs over sizes and workers, scaling by hand, pages, JSON, and what could not run."""

from dataclasses import replace

import pytest

from qdreamer_lab import cli
from qdreamer_lab.errors import MotifError, QDreamerError
from qdreamer_lab.workflow.characterise.larger import Simulated
from qdreamer_lab.workflow.characterise.measure import characterise
from qdreamer_lab.workflow.characterise.page import page
from qdreamer_lab.workflow.characterise.portrait import Measured, Portrait
from qdreamer_lab.workflow.outcome import Outcome
from qdreamer_lab.workflow.report import MotifReport
from qdreamer_lab.workflow.run import Traffic
from qdreamer_lab.workflow.spent import Spent


def report(wall, name="naps"):
    return MotifReport(
        motif=name,
        title="Naps",
        parameters={},
        workers=1,
        pilots=("p",),
        ready_s=0.0,
        spent=Spent(wall_s=wall, quantum_s=wall / 2, overhead_s=wall / 2),
        traffic=Traffic(4, 8, 100, 200, 0),
        outcome=Outcome(),
    )


def measured(size, workers, wall, name="naps"):
    return Measured(motif=name, size=size, workers=workers, report=report(wall, name))


PORTRAIT = Portrait(
    machine={"processor": "<fast>"},
    measured=(
        measured(1, 1, 8.0),
        measured(1, 2, 5.0),
        measured(2, 2, 10.0),
        measured(1, 4, 2.0),
        measured(1, 1, 3.0, "other"),
        Measured(motif="third", size=1, workers=1, failure="needs a <lot>"),
    ),
)


def test_scaling_by_hand():
    strong, weak = PORTRAIT.strong("naps"), PORTRAIT.weak("naps")
    assert (strong.workers, strong.wall_s) == ((1, 2, 4), (8.0, 5.0, 2.0))
    assert strong.efficiency == pytest.approx((1.0, 0.8, 1.0))
    assert (weak.workers, weak.efficiency) == ((1, 2), pytest.approx((1.0, 0.8)))
    assert PORTRAIT.strong("other") is PORTRAIT.weak("other") is PORTRAIT.strong("third") is None


def test_it_survives_json_and_is_shown():
    again = Portrait.from_json(PORTRAIT.to_json())
    assert again.text() == PORTRAIT.text()
    assert again.to_json() == PORTRAIT.to_json()
    assert ("naps", "weak", "1.00", "0.80", "") in PORTRAIT.scaling_table()[1]
    assert "efficiency on 2" in PORTRAIT.text()
    assert "third, 1x on 1: not run: needs a <lot>" in PORTRAIT.text()
    for wrong in ("{}", "x", '{"machine": {}, "measured": [1]}'):
        with pytest.raises(MotifError, match="not the portrait"):
            Portrait.from_json(wrong)


def test_a_page_is_whole_and_two_are_compared():
    alone = page([PORTRAIT], ["mine"])
    assert alone.count("Plotly.newPlot(") == 3
    assert "&lt;fast&gt;" in alone
    assert "<fast>" not in alone
    assert "cdn" not in alone.split("<body>")[0]
    slower = replace(PORTRAIT, measured=(measured(1, 1, 16.0),))
    both = page([slower, PORTRAIT], ["mine", "theirs"])
    told = ("naps, 1x on 1", "16", "8", "2.00")
    assert "".join(f"<td>{cell}</td>" for cell in told) in both
    assert both.count("<section>") == 2


CURVE = Simulated(
    name="naps, weak scaling",
    workers=(1, 2, 1000),
    wall_s=(8.0, 9.0, 90.0),
    measured_s={1: 8.0, 2: 10.0},
    assumptions="no naps are missed",
)
SHARED = replace(CURVE, measured_s={1: 8.0, 4: 20.0}, shared_s={4: 21.0}, cores=2)


def test_what_is_simulated_is_marked(tmp_path):
    assert CURVE.off == {1: 0.0, 2: pytest.approx(-0.1)}
    with_curve = replace(PORTRAIT, simulated=(CURVE,))
    again = Portrait.from_json(with_curve.to_json())
    assert again.simulated == (CURVE,)
    oversubscribed = replace(PORTRAIT, simulated=(SHARED,), not_simulated=("rest: at night",))
    other = Portrait.from_json(oversubscribed.to_json())
    assert other == oversubscribed
    assert "1: +0 %, 4 (sharing 2 cores): +5 %" in other.text()
    assert "not simulated: rest: at night" in other.text()
    assert "Not simulated: rest: at night." in page([other], ["mine"])
    assert "naps, weak scaling, SIMULATED" in again.text()
    assert "2: -10 %" in again.text()
    assert "assumes no naps are missed" in again.text()
    shown = page([with_curve], ["mine"])
    assert shown.count("Plotly.newPlot(") == 4
    assert "naps, weak scaling (simulated)" in shown
    assert "<td>naps, weak scaling</td><td>1: +0 %, 2: -10 %</td>" in shown
    assert "naps, weak scaling assumes no naps are missed." in shown
    assert "naps, weak scaling (measured)" in shown


def smaller(motif):
    return motif.set(["circuits=2", "qubits=2", "depth=1"])


def test_motifs_are_run_over_sizes_and_workers(session):
    said = []
    found = characterise(
        session, (1, 2), names=["circuit-execution"], simulate=(), say=said.append, change=smaller
    )
    assert [(one.size, one.workers) for one in found.measured] == [(1, 1), (1, 2), (2, 2)]
    assert [one.report.values["circuits"] for one in found.measured] == [2, 2, 4]
    assert [one.report.workers for one in found.measured] == [1, 2, 2]
    assert len(said) == 3
    assert found.strong("circuit-execution") is not None
    assert found.simulated == ()
    assert not [pilot for pilot in session.pilots if pilot.name.startswith("workers-")]


def test_what_cannot_run_is_told_and_the_rest_goes_on(session):
    def change(motif):
        return motif.set(["qubits=40"])

    found = characterise(session, (1,), names=["circuit-execution"] * 2, simulate=(), change=change)
    assert len(found.measured) == 2
    assert all("needs" in one.failure for one in found.measured)


@pytest.mark.parametrize("workers", [(), (0, 1)])
def test_there_is_at_least_one_worker(session, workers):
    with pytest.raises(QDreamerError, match="at least one"):
        characterise(session, workers)


def test_the_console_sets_two_side_by_side(tmp_path, capsys):
    files = [tmp_path / name for name in ("a.json", "b.json")]
    for path in files:
        path.write_text(PORTRAIT.to_json())
    words = [word for path in files for word in ("--compare", str(path))]
    assert cli.main(["characterise", *words, "--html", str(tmp_path / "p.html")]) == 0
    assert "<td>1.00</td></tr>" in (tmp_path / "p.html").read_text()
    again = ["characterise", "--compare", str(files[0]), "--json", str(files[0])]
    assert cli.main(again) == 2
    assert "would take its place" in capsys.readouterr().err
    assert cli.main(["characterise", "--compare", str(tmp_path / "missing")]) == 2
    assert "No such file" in capsys.readouterr().err
    files[0].write_text("{}")
    assert cli.main(["characterise", *words, "--html", str(tmp_path / "p.html")]) == 2
    assert "not the portrait" in capsys.readouterr().err
