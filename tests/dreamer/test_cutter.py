import threading
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest
from qiskit.circuit import Parameter
from qiskit.primitives import StatevectorEstimator

from pilot_kernel.errors import CellError
from pilot_kernel.jupyter.cell.device_wishes import NO_WISHES
from qdreamer_lab.dreamer import cutter
from qdreamer_lab.dreamer.advice.run_prediction import waited_for
from tests.circuits.plain import ghz, turned_ghz


class Request(SimpleNamespace):
    """What a cell asks for, with what it was told meanwhile."""

    def __init__(self, session, pubs, width, **options):
        super().__init__(session=session, pubs=pubs, width=width, said=[], told=[])
        self.precision = self.shots = self.seed = self.on = None
        self.dry_run, self.wishes = False, NO_WISHES
        self.stop = threading.Event()
        self.__dict__.update(options)

    def say(self, text):
        self.said.append(text)

    def tell(self, done, parts):
        self.told.append((done, parts))


def test_a_width_is_kept_to(session):
    request = Request(session, [(turned_ghz(6), ["Z" * 6, "X" * 6]), (turned_ghz(4), "Z" * 4)], 3)
    result = cutter.cut(request)
    assert result[0].data.evs.round(9).tolist() == [1, 1]
    assert result[1].data.evs.round(9) == 1
    assert [line.partition(":")[0] for line in request.said] == ["PUB 0", "PUB 1"]
    assert "of width 3, 3" in request.said[0]
    assert request.told[-1][0] == request.told[-1][1]


def test_auto_gives_its_reasons_and_learns(session):
    request = Request(session, [(ghz(6), "Z" * 6)], None)
    result = cutter.cut(request)
    assert result[0].data.evs.round(9) == 1
    assert request.said[0].startswith("Run the 6-qubit circuit ")
    assert "exact" in request.said[0]
    assert "; exact, " in request.said[-1]
    assert cutter._last.session is session
    assert cutter._last.profile().belief.observations > 0


def test_auto_takes_parameter_sweeps_as_they_come(session):
    circuit = ghz(5)
    circuit.rx(Parameter("t"), 0)
    result = cutter.cut(Request(session, [(circuit, [["Z" * 5], ["X" * 5]], [0.1, 0.2])], None))
    assert result[0].data.evs.shape == (2, 2)


def test_an_interrupt_cancels_the_run():
    canceled = []

    def interrupted(_):
        raise KeyboardInterrupt

    job = SimpleNamespace(wait=interrupted, cancel=lambda: canceled.append(True))
    with pytest.raises(KeyboardInterrupt):
        waited_for(job, threading.Event())
    assert canceled


def test_a_cell_that_was_canceled_stops():
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        waited_for(SimpleNamespace(wait=lambda timeout_s: False, cancel=lambda: True), stop)


@pytest.mark.parametrize("width", [3, None])
@pytest.mark.parametrize(
    ("pub", "told"),
    [
        ((ghz(4), "ZZ"), "PUB 0"),
        (
            (ghz(4).measure_all(inplace=False).compose(ghz(4)), "ZZZZ"),
            "is a mid-circuit measurement",
        ),
    ],
)
def test_what_cannot_run_is_a_cell_s_error(session, pub, width, told):
    with pytest.raises(CellError, match=rf"--cut: .*{told}"):
        cutter.cut(Request(session, [pub], width))


@pytest.mark.parametrize("width", [3, None])
def test_values_are_of_the_state_before_measurements_at_the_end(session, width):
    circuit = turned_ghz(4)
    circuit.measure_all()
    assert cutter.cut(Request(session, [(circuit, "XXXX")], width))[0].data.evs.round(9) == 1


def test_what_takes_long_is_said_before_it_starts(session, monkeypatch):
    request = Request(session, [(ghz(6), "Z" * 6)], 3)
    cutter.cut(request)
    assert not any("going to take" in line for line in request.said)
    monkeypatch.setattr(cutter, "_LONG_S", 0.0)
    request = Request(session, [(ghz(6), "Z" * 6)], 3)
    cutter.cut(request)
    assert request.said[0].startswith("This is predicted to take about ")


def test_auto_takes_no_way_that_only_the_first_set_allows(session):
    circuit = ghz(5)
    circuit.rx(Parameter("t"), range(5))
    angles = [[0.0], [0.4], [1.1]]
    request = Request(
        session, [(circuit, ["ZZIII", "YYXXX"], angles[0]), (circuit, "ZZIII", angles)], None
    )
    found = cutter.cut(request)[1].data.evs
    expected = StatevectorEstimator().run([(circuit, "ZZIII", angles)]).result()[0].data.evs
    assert found == pytest.approx(expected, abs=1e-9)
