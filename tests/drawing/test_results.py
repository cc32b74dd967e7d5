"""Results as charts, in HTML and as text."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers import BitArray, DataBin, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray

from pilot_kernel.drawing.chart_html import charts_html
from pilot_kernel.drawing.chart_text import charts_text
from pilot_kernel.drawing.charts import Axis, Counts, Curves, Values
from pilot_kernel.drawing.results import result_charts
from pilot_kernel.drawing.value_names import value_names
from tests.drawing.html_check import Balance


def counted(counts, shape=()):
    bits = BitArray.from_counts(counts)
    if shape:
        bits = BitArray(np.broadcast_to(bits.array, (*shape, *bits.array.shape)), bits.num_bits)
    return PubResult(DataBin(meas=bits, shape=shape))


def estimated(evs, stds=None):
    evs = np.asarray(evs)
    stds = np.zeros(evs.shape) if stds is None else np.asarray(stds)
    return PubResult(DataBin(evs=evs, stds=stds, shape=evs.shape))


def test_counts_become_bars():
    result = PrimitiveResult([counted({"00": 30, "11": 70})])
    assert result_charts(result) == [Counts("", (("00", 30), ("11", 70)), 100, 0)]
    lines = charts_text(result_charts(result)).splitlines()
    assert lines[0] == "100 shots"
    assert lines[2].startswith("11  70   70.0%  ███")
    assert "70.0%" in Balance(charts_html(result_charts(result))).text


def test_many_outcomes_are_cut_to_the_most_frequent():
    many = {f"{at:07b}": at + 1 for at in range(100)}
    [shown] = result_charts(PrimitiveResult([counted(many)]))
    assert (len(shown.rows), shown.rows[0][0], shown.left_out) == (16, f"{99:07b}", 84)
    assert "16 most frequent of 100" in Balance(charts_html([shown])).text


def test_a_sampled_sweep_shows_the_first_of_its_sets():
    [shown] = result_charts(PrimitiveResult([counted({"0": 5}, shape=(3,))]))
    assert shown.title == "first of 3 parameter sets"


def test_values_become_a_table_with_digits_that_count():
    labels = [np.array(["ZZ", "XX"], dtype=object)]
    [shown] = result_charts(PrimitiveResult([estimated([0.123456, -1], [0.012, 0])]), labels)
    assert shown == Values("", (("ZZ", 0.123456, 0.012), ("XX", -1.0, 0.0)), 0)
    text = charts_text([shown])
    assert "+0.123  ± 0.012" in text
    assert "exact" in text
    assert "± 0.012" in Balance(charts_html([shown])).text


def test_a_sweep_becomes_curves():
    evs = np.cos(np.linspace(0, 6, 30))
    labels = [np.array([["Z"], ["X"]], dtype=object)]
    [shown] = result_charts(
        PrimitiveResult([estimated([evs, -evs], np.full((2, 30), 0.1))]), labels
    )
    assert isinstance(shown, Curves)
    assert shown.labels == ("Z", "X")
    html = charts_html([shown])
    Balance(html)
    assert html.count("stroke-width:1'/>") >= 2 * 30 * 3  # a bar and its two ends at each point
    assert html.count("<polyline") == html.count("<polygon") == 2
    assert "30 parameter sets" in charts_text([shown])


def bound(circuit, values):
    return EstimatorPub.coerce((circuit, "Z" * circuit.num_qubits, values))


@pytest.mark.parametrize(
    ("points", "name"),
    [
        (np.linspace(0.5, 2, 8), "t"),
        (np.linspace(2, 0.5, 8), "t"),
        (np.array([0.0, 0.1, 0.3, 0.7, 1.5, 9.0]), "t"),
        (np.array([0.0, 1, 0, 1, 0, 1]), ""),
    ],
)
def test_a_sweep_lies_where_its_parameter_does(points, name):
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.rz(Parameter("u"), 0)
    values = np.stack([points, np.full(len(points), 0.3)], axis=1)
    pub = bound(circuit, {("t", "u"): values})
    result = PrimitiveResult([estimated(np.cos(points), np.full(len(points), 0.05))])
    [shown] = result_charts(result, [], [pub.parameter_values])
    assert shown.axis.name == name
    expected = points if name else np.arange(len(points))
    assert shown.axis.points == tuple(expected.tolist())
    html, text = charts_html([shown]), charts_text([shown])
    assert f">{max(expected):.4g}</text>" in html
    assert (f">{name or 'set'}</text>") in html
    assert ("t from" in text) == bool(name)
    assert "± 0.050 at most" in text
    xs = [
        float(pair.split(",")[0])
        for pair in html.split("<polyline points='")[1].split("'")[0].split()
    ]
    steps = np.diff(xs) / np.diff(expected)
    assert steps == pytest.approx(np.full(len(steps), steps[0]), rel=0.05)


def test_curves_of_a_grid_say_which_parameter_tells_them_apart():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    circuit.rx(Parameter("b"), 0)
    inner, outer = np.linspace(0, 3, 7), np.array([0.25, 0.5])
    grid = np.stack(np.meshgrid(outer, inner, indexing="ij"), -1)
    pub = bound(circuit, {("a", "b"): grid})
    result = PrimitiveResult([estimated(np.cos(grid).prod(-1))])
    [shown] = result_charts(result, [np.array("Z", dtype=object)], [pub.parameter_values])
    assert shown.labels == ("Z a = 0.25", "Z a = 0.5")
    assert shown.axis == Axis("b", tuple(inner.tolist()))
    assert shown.values[1] == pytest.approx(np.cos(0.5) * np.cos(inner))
    assert "14 parameter sets, b from 0 to 3" in charts_text([shown])
    assert "14 parameter sets" in Balance(charts_html([shown])).text


def test_two_parameters_that_change_together_are_no_axis():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.rz(Parameter("u"), 0)
    values = np.linspace(0, 1, 14).reshape(7, 2)
    [shown] = result_charts(
        PrimitiveResult([estimated(np.zeros(7))]), [], [bound(circuit, values).parameter_values]
    )
    assert shown.axis == Axis("", tuple(map(float, range(7))))


def test_shots_that_all_agree_make_no_value_exact():
    metadata = {"shots": 100, "observables": ObservablesArray.coerce(["ZZ", "XX"])}
    data = DataBin(evs=np.array([1.0, 0.5]), stds=np.array([0.0, 0.1]), shape=(2,))
    [shown] = result_charts(PrimitiveResult([PubResult(data, metadata)]))
    assert [row[0] for row in shown.rows] == ["ZZ", "XX"]
    assert "exact" not in charts_text([shown])
    assert "exact" not in charts_html([shown])
    assert "± 0" in charts_text([shown])


def test_observables_along_the_last_axis_are_no_sweep():
    labels = [np.array(list("ABCDEFGH"), dtype=object)]
    [shown] = result_charts(PrimitiveResult([estimated(np.zeros(8))]), labels)
    assert isinstance(shown, Values)


def test_observables_are_named_shortly():
    from qiskit.quantum_info import SparsePauliOp

    wide = SparsePauliOp.from_sparse_list([("ZZ", [0, 35], 1)], 36)
    mixed = SparsePauliOp(["XX", "YY"], [0.5, 0.25])
    [[wide_name]] = [names.tolist() for names in value_names((QuantumCircuit(36), [wide]))]
    [[mixed_name]] = [names.tolist() for names in value_names((QuantumCircuit(2), [mixed]))]
    assert wide_name == "Z₀Z₃₅"
    assert set(mixed_name.split(" + ")) == {"0.5 XX", "0.25 YY"}
