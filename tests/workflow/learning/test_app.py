"""Learning against scikit-learn: data, kernels, accuracies; and data that nobody learns from."""

import numpy as np
import pytest

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.learning.app import Learning
from qdreamer_lab.workflow.learning.batch import kernel_entries
from qdreamer_lab.workflow.learning.data import load_data

pytest.importorskip("sklearn", reason="pip install 'qdreamer-lab[learn]'")

SMALL = {"samples": 24, "qubits": 2, "layers": 1, "steps": 3, "minibatch": 5, "pairs": 40}


@pytest.fixture(scope="module")
def report(session):
    return Learning(**SMALL).run(session)


def test_kernel_matrices_are_whole(report):
    data, (train, test) = report.data["data"], report.data["kernel"]
    assert train.shape == (18, 18)
    assert test.shape == (6, 18)
    np.testing.assert_array_equal(train, train.T)
    np.testing.assert_array_equal(np.diag(train), 1)
    assert np.linalg.eigvalsh(train)[0] > -1e-10
    rows, columns = np.indices(train.shape).reshape(2, -1)
    every = kernel_entries(data.train[rows], data.train[columns], 1, 0, 0).value
    np.testing.assert_allclose(train.ravel(), every, atol=1e-12)
    rows, columns = np.indices(test.shape).reshape(2, -1)
    every = kernel_entries(data.test[rows], data.train[columns], 1, 0, 0).value
    np.testing.assert_allclose(test.ravel(), every, atol=1e-12)


def test_accuracies_are_scikit_learns_own(report):
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    data, (train, test) = report.data["data"], report.data["kernel"]
    fitted = SVC(kernel="precomputed").fit(train, data.train_labels)
    assert report.values["accuracy of the kernel"] == fitted.score(test, data.test_labels)
    fitted = LogisticRegression().fit(data.train, data.train_labels)
    expected = fitted.score(data.test, data.test_labels)
    assert report.values["accuracy of logistic regression"] == expected
    pairs = 18 * 17 // 2 + 6 * 18
    assert report.values["circuits"] == pairs + 3 * 5 * (1 + 2 * 4) + 6


def test_training_takes_the_error_down(session):
    motif = Learning(**{**SMALL, "steps": 12, "minibatch": 18}, classifiers=("variational",))
    (curve,) = motif.run(session).outcome.curves
    assert curve.y[-1] < curve.y[0]
    assert len(curve.y) == 12


def test_it_learns_what_can_be_learned(session):
    """Iris' first two classes are far apart: whoever learns at all tells them from each other."""
    motif = Learning(data="iris", samples=40, qubits=2, steps=15, minibatch=12)
    values = motif.run(session).values
    assert values["accuracy of the kernel"] >= 0.9
    assert values["accuracy of the classifier"] >= 0.8
    assert values["accuracy of SVM"] >= 0.9


def test_a_noisy_device_comes_close(session):
    pilot = session.add_pilot("qpu://fake_manila", name="manila")
    try:
        motif = Learning(
            **{**SMALL, "samples": 12, "data": "iris"},
            classifiers=("kernel",),
            shots=1000,
            on="manila",
        )
        report = motif.run(session)
        data, (train, _) = report.data["data"], report.data["kernel"]
        rows, columns = np.indices(train.shape).reshape(2, -1)
        every = kernel_entries(data.train[rows], data.train[columns], 1, 0, 0).value
        assert np.max(np.abs(train.ravel() - every)) < 0.25
        assert np.corrcoef(train.ravel(), every)[0, 1] > 0.95
    finally:
        pilot.stop()


@pytest.fixture
def table(tmp_path):
    def write(rows, head="a,b,class"):
        path = tmp_path / "data.csv"
        path.write_text("\n".join([head, *rows]) + "\n")
        return str(path)

    return write


def rows(count=16):
    draws = np.random.default_rng(1).normal(size=(count, 2))
    return [f"{x},{y},{k % 2}" for k, (x, y) in enumerate(draws)]


def test_a_file_is_read(table):
    found = load_data(table(rows()), 2, 16, 1)
    assert found.train.shape == (12, 2)
    assert sorted(set(found.train_labels)) == [-1, 1]
    np.testing.assert_allclose(found.train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.train.std(axis=0), 1 / 3)


@pytest.mark.parametrize(
    ("change", "how", "complaint"),
    [
        (lambda r: [r[0], "0.5,,1", *r[2:]], {}, "missing or no numbers: row 2, column 2"),
        (lambda r: [r[0], "0.5,x,1", *r[2:]], {}, "row 2, column 2"),
        (lambda r: [*r[:-1], "inf,1,1"], {}, "row 16, column 1"),
        (lambda r: [*r[:-1], "1,1,7"], {}, "there are 3"),
        (lambda r: [each[:-1] + "1" for each in r], {}, "there are 1"),
        (lambda r: [*r[:-1], "1,2"], {}, "data.csv"),
        (lambda r: r, {"samples": 40}, "has 16 of these two classes"),
        (lambda r: r, {"qubits": 3}, "has 2 features"),
        (lambda r: [each[:-1] + "1" for each in r[:-1]] + [r[0][:-1] + "0"], {}, "too few"),
    ],
)
def test_data_that_cannot_be_learned_from_are_told(session, table, change, how, complaint):
    motif = Learning(**{**SMALL, "samples": 16, "data": table(change(rows())), **how})
    with pytest.raises(MotifError, match=complaint):
        motif.run(session)


@pytest.mark.parametrize(
    "wrong", [{"samples": 3}, {"qubits": 0}, {"classifiers": ("magic",)}, {"shots": -1}]
)
def test_what_is_out_of_range_is_refused(wrong):
    with pytest.raises(MotifError, match=next(iter(wrong))):
        Learning(**wrong)


def test_a_set_that_there_is_not_is_told(session):
    with pytest.raises(MotifError, match="data=nowhere: one of breast_cancer"):
        Learning(data="nowhere").run(session)
