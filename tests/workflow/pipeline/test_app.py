"""The pipeline against what its stages make by themselves; overlap; mitigation; steps kept."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.pipeline.app import Pipeline
from qdreamer_lab.workflow.pipeline.encoding import prepared
from qdreamer_lab.workflow.pipeline.stages import (
    encode,
    execute,
    extrapolated,
    folded,
    observables,
    preprocess,
)

sklearn = pytest.importorskip("sklearn", reason="pip install 'qdreamer-lab[learn]'")

SMALL = {"images": 16, "batch": 5, "qubits": 4, "layers": 1, "sweeps": 1}


def dense_features(motif, images):
    """Features of all images by dense vectors."""
    vectors = preprocess.function(images.pixels, motif.qubits)
    made = []
    for gates, _ in encode.function(vectors, motif.layers, motif.sweeps):
        state = Statevector(prepared(gates, motif.qubits))
        made.append([state.expectation_value(each).real for each in observables(motif.qubits)])
    return np.array(made)


def expected(motif, images):
    """What scikit-learn makes of these features, in this process."""
    from sklearn.linear_model import LogisticRegression

    table = dense_features(motif, images)
    model = LogisticRegression(max_iter=1000)
    model.fit(table[: images.train], images.labels[: images.train])
    return model.predict(table[images.train :])


@pytest.mark.parametrize("more", [{}, {"overlap": False}, {"mitigate": False}, {"batch": 50}])
def test_it_sees_what_its_stages_see_in_one_process(session, more):
    motif = Pipeline(**{**SMALL, **more})
    report = motif.run(session)
    images = report.data["images"]
    np.testing.assert_array_equal(report.data["seen"], expected(motif, images))
    assert 0 < report.values["least overlap"] <= 1
    assert report.values["accuracy"] == np.mean(
        report.data["seen"] == images.labels[images.train :]
    )


def test_stages_run_where_they_are_sent(session, lone_worker):
    before = {record.key for record in session.history()}
    Pipeline(**SMALL, quantum=lone_worker, on="local").run(session)
    places = {}
    for record in session.history():
        if record.key not in before:
            places.setdefault(record.name, set()).add(record.pilot)
    assert places["execute"] == {lone_worker}
    assert places["encode"] == places["learn"] == {"local"}


@pytest.mark.parametrize("overlap", [True, False])
def test_a_batch_waits_for_its_own_batch_or_for_all(overlap):
    """What is waited for, not when it ran: the clocks of two workers differ by milliseconds."""
    motif = Pipeline(**SMALL, overlap=overlap)
    first, second, third, _ = motif.stages(motif_images(motif))
    assert len(first) > 1
    for before, after in ((first, second), (second, third)):
        for own, node in zip(before, after, strict=True):
            assert set(node.needs) == ({own} if overlap else set(before))


def motif_images(motif):
    from qdreamer_lab.workflow.pipeline.images import load_images

    return load_images(motif.images, motif.seed)


def test_finished_steps_are_taken_up(session, tmp_path, monkeypatch):
    monkeypatch.setenv("QDREAMER_LAB_STORE", str(tmp_path))
    first = Pipeline(**SMALL, reuse=True).run(session)
    again = Pipeline(**SMALL, reuse=True).run(session)
    np.testing.assert_array_equal(again.data["seen"], first.data["seen"])
    assert "learn: 0 ran, 1 reused" in again.text()
    other = Pipeline(**{**SMALL, "mitigate": False}, reuse=True).run(session)
    assert "encode: 0 ran, 4 reused" in other.text()
    assert "execute: 4 ran, 0 reused" in other.text()


def test_shots_scatter_about_the_values():
    motif = Pipeline(**SMALL)
    images = motif_images(motif)
    found = encode.function(preprocess.function(images.pixels[:3], 4), 1, 1)
    values = execute.function(found, 4, False, 20_000, 3).value
    assert np.all(np.abs(values - dense_features(motif, images)[:3]) < 6 / np.sqrt(20_000))
    exact = execute.function(found, 4, True, 0, 3).value
    np.testing.assert_allclose(exact, dense_features(motif, images)[:3], atol=1e-10)


def test_folding_does_nothing_but_take_longer():
    circuit = QuantumCircuit(2)
    circuit.rx(0.3, 0)
    circuit.cx(0, 1)
    state = Statevector(circuit)
    for scale in (1, 3, 5):
        more = folded(circuit, scale)
        assert Statevector(more.decompose("barrier")).equiv(state)
        assert more.count_ops()["cx"] == scale


def test_extrapolation_takes_linear_noise_off():
    truth = np.random.default_rng(1).normal(size=(3, 5))
    slope = np.random.default_rng(2).normal(size=(3, 5))
    values = np.stack([truth + 1 * slope, truth + 3 * slope], axis=1)
    np.testing.assert_allclose(extrapolated(values), truth, atol=1e-12)


def test_mitigation_helps_on_a_noisy_device(session):
    pilot = session.add_pilot("qpu://fake_manila", name="manila")
    try:
        motif = Pipeline(**SMALL)
        images = motif_images(motif)
        found = encode.function(preprocess.function(images.pixels[:4], 4), 1, 1)
        truth = dense_features(motif, images)[:4]
        errors = [
            np.abs(
                session.submit(execute.function, found, 4, mitigate, 20_000, 1, on="manila")
                .result()
                .value
                - truth
            ).mean()
            for mitigate in (False, True)
        ]
        assert errors[1] < errors[0] < 0.3
    finally:
        pilot.stop()


@pytest.mark.parametrize("wrong", [{"images": 3}, {"qubits": 20}, {"layers": 0}, {"sweeps": -1}])
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(MotifError, match=next(iter(wrong))):
        Pipeline(**wrong)


def test_more_images_than_there_are_are_told(session):
    with pytest.raises(MotifError, match="images=1000: there are"):
        Pipeline(images=1000).run(session)
