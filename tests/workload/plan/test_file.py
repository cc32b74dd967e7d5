"""A plan comes back from its file as it was; other files are refused with a reason."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdreamer_lab import CutPlan, plan_cuts
from qdreamer_lab.errors import PlanError
from tests.circuits.drawn import random_circuit


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 10**6),
    st.integers(2, 6),
    st.integers(0, 8),
    st.sampled_from(["lo", "joint", "work"]),
    st.booleans(),
    st.sampled_from([3, [3, 3], {3: 1, 2: 1, 1: 1}]),
)
def test_nothing_is_lost(tmp_path_factory, seed, num_qubits, num_gates, cost, narrow, widths):
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    circuit = random_circuit(seed, num_qubits, num_gates, general=True)
    observables = "Z".rjust(num_qubits, "I") if narrow else None
    plan = plan_cuts(circuit, widths, cost=cost, observables=observables)
    plan.save(path)
    again = CutPlan.load(path)
    for name in ("max_qubits", "cost", "log2_lower_bound", "proven_optimal", "cuts", "fragments"):
        assert getattr(again, name) == getattr(plan, name)
    assert again.devices == plan.devices
    for name in ("labels", "lone_labels"):
        assert np.array_equal(getattr(again, name), getattr(plan, name))
    for name in ("pairs", "unitaries"):
        assert np.array_equal(getattr(again.blocks, name), getattr(plan.blocks, name))
    for name in ("num_qubits", "sources", "measured", "merged"):
        assert getattr(again.blocks, name) == getattr(plan.blocks, name)
    assert list(again.blocks.lone) == list(plan.blocks.lone)
    for qubit, matrix in plan.blocks.lone.items():
        assert np.array_equal(again.blocks.lone[qubit], matrix)
    assert again.summary == plan.summary


def without(name):
    return lambda document: document.pop(name)


def with_value(name, value):
    return lambda document: document.update({name: value})


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (with_value("version", 99), "of version 99; this qdreamer-lab reads version 1"),
        (with_value("format", "recipe"), "but not a plan"),
        (without("labels"), "broken: 'labels' is missing"),
        (with_value("labels", [[0, 1]]), "broken: "),
        (with_value("log2_lower_bound", "nan"), "broken: log2_lower_bound must be a finite"),
        (with_value("log2_lower_bound", -math.inf), "broken: log2_lower_bound must be a finite"),
        (with_value("labels", "none"), "broken: "),
        (with_value("pairs", [[0, 9]]), "broken: pairs"),
        (with_value("unitaries", "AAAA"), "broken: "),
        (with_value("unitaries", "!"), "broken: "),
        (with_value("sources", []), "broken: "),
        (with_value("lone_qubits", [0]), "broken: the lone qubits"),
        (with_value("cost", "cheap"), "broken: cost must be"),
        (with_value("max_qubits", 1), "broken: fragment 0 needs"),
        (with_value("max_qubits", None), "broken: "),
        (with_value("devices", []), "broken: max_qubits names no device"),
        (with_value("devices", 3), "broken: devices"),
        (with_value("devices", [3, 0]), "broken: max_qubits"),
        (with_value("devices", [4, 3]), "broken: devices must be widths"),
        (with_value("devices", [3]), "broken: 2 fragments need a device each"),
    ],
)
def test_broken_files_are_refused(tmp_path, harm, words):
    path = tmp_path / "plan.json"
    plan_cuts(random_circuit(1, 4, 6), 3).save(path)
    document = json.loads(path.read_text())
    harm(document)
    path.write_text(json.dumps(document))
    with pytest.raises(PlanError, match=words):
        CutPlan.load(path)


def test_files_from_before_there_were_devices_can_be_read(tmp_path):
    path = tmp_path / "plan.json"
    plan_cuts(random_circuit(1, 4, 6), 3).save(path)
    document = json.loads(path.read_text())
    assert document.pop("devices") is None
    path.write_text(json.dumps(document))
    assert CutPlan.load(path).devices is None


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "not JSON"), (b"{", "not JSON"), (b"\xff\xfe\x00", "not JSON"), (b"[]", "not a plan")],
)
def test_other_files_are_refused(tmp_path, content, words):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(PlanError, match=words):
        CutPlan.load(path)
    with pytest.raises(FileNotFoundError):
        CutPlan.load(tmp_path / "nothing.json")


def test_a_file_nested_deeply_is_no_plan(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(PlanError, match="nested too deeply"):
        CutPlan.load(path)
