"""Mini-app 5, data parallel: a quantum kernel and a variational classifier, beside a baseline."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from qdreamer_lab.errors import MotifError
from qdreamer_lab.workflow.learning.batch import prepare
from qdreamer_lab.workflow.learning.circuits import classifier
from qdreamer_lab.workflow.learning.data import Data, load_data
from qdreamer_lab.workflow.learning.training import Shared, kernel_matrix, predicted, trained
from qdreamer_lab.workflow.motif import Motif
from qdreamer_lab.workflow.outcome import Curve, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qdreamer_lab.workflow.run import Run

__all__ = ["Learning"]


@dataclass(frozen=True, kw_only=True)
class Learning(Motif):
    """A data set with two classes, learned by a quantum kernel and by a variational classifier.

    Attributes:
        data: One of scikit-learn's sets, or a CSV file whose last column is the class.
        samples: How many samples to take; a quarter of them is for judging.
        qubits: Qubits, and principal components of the data.
        reps: Repetitions of the feature map.
        layers: Of the classifier's weights.
        steps: Of its training.
        minibatch: Samples of a step, which the workers share.
        pairs: Kernel entries in a task.
        shots: Shots of each circuit; 0 asks for exact values where circuits are simulated.
        classifiers: `kernel`, `variational`, or both with a comma.
    """

    name: ClassVar[str] = "learning"
    title: ClassVar[str] = "Quantum machine learning"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"samples": 400, "qubits": 10, "steps": 100, "minibatch": 64}
    }

    data: str = "breast_cancer"
    samples: int = 64
    qubits: int = 4
    reps: int = 1
    layers: int = 2
    steps: int = 12
    minibatch: int = 32
    pairs: int = 256
    shots: int = 0
    classifiers: tuple[str, ...] = ("kernel", "variational")

    def __post_init__(self) -> None:
        self.at_least(samples=8, qubits=1, reps=1, layers=1, steps=1, minibatch=1, pairs=1)
        self.at_least(shots=0, seed=0)
        if not self.classifiers or not set(self.classifiers) <= {"kernel", "variational"}:
            told = ",".join(self.classifiers)
            raise MotifError(f"{self.name}: classifiers={told}: kernel, variational, or both")

    def grown(self, times: int) -> Self | None:
        """Larger mini-batches, and more samples, each two of which are a circuit of the kernel."""
        grown = replace(
            self,
            minibatch=times * self.minibatch,
            samples=round(math.sqrt(times) * self.samples),
        )
        # A mini-batch is at most all samples that are learned from, three in four.
        enough = 4 * grown.minibatch <= 3 * grown.samples or "variational" not in self.classifiers
        return grown if times == 1 or enough else None

    def unused(self) -> dict[str, str]:
        """What only a classifier takes that is not asked for."""
        own = {"kernel": ("pairs",), "variational": ("layers", "steps", "minibatch")}
        asked = f"classifiers={','.join(self.classifiers)}"
        return {k: asked for name in own if name not in self.classifiers for k in own[name]}

    def warm_up(self) -> Callable[[], Any]:
        """Loads what runs circuits."""
        return prepare

    def load(self) -> None:
        """Loads scikit-learn, and the data for the first time."""
        load_data(self.data, self.qubits, self.samples, self.seed)

    def work(self, run: Run) -> Outcome:
        """Learn, judge, and compare."""
        with run.doing("classical"):
            data = load_data(self.data, self.qubits, self.samples, self.seed)
        shared = Shared(run, self.on, self.shots, self.seed)
        begun = time.perf_counter()
        values: dict[str, float | int | str] = {}
        curves: tuple[Curve, ...] = ()
        found: dict[str, Any] = {"data": data}
        if "kernel" in self.classifiers:
            values["accuracy of the kernel"], found["kernel"] = self._kernel(run, shared, data)
        if "variational" in self.classifiers:
            accuracy, found["weights"], losses = self._variational(run, shared, data)
            values["accuracy of the classifier"] = accuracy
            steps = tuple(float(k) for k in range(1, len(losses) + 1))
            curves = (
                Curve(
                    name="mini-batch",
                    x=steps,
                    y=tuple(losses),
                    x_title="step",
                    y_title="squared error",
                ),
            )
        took = time.perf_counter() - begun
        with run.doing("classical"):
            values.update(baselines(data))
        values |= {"circuits": shared.circuits, "circuits per second": shared.circuits / took}
        return Outcome(values=values, curves=curves, data=found)

    def _kernel(self, run: Run, shared: Shared, data: Data) -> tuple[float, Any]:
        """Accuracy on the samples for judging, and the kernel matrices."""
        from sklearn.svm import SVC

        train = kernel_matrix(shared, data.train, None, self.reps, self.pairs)
        test = kernel_matrix(shared, data.test, data.train, self.reps, self.pairs)
        with run.doing("classical"):
            model = SVC(kernel="precomputed").fit(train, data.train_labels)
            accuracy = float(model.score(test, data.test_labels))
        return accuracy, (train, test)

    def _variational(
        self, run: Run, shared: Shared, data: Data
    ) -> tuple[float, NDArray[np.float64], list[float]]:
        """Accuracy on the samples for judging, the weights, and the errors on the way."""
        form = (self.reps, self.layers)
        with run.doing("classical"):
            count = classifier(self.qubits, *form).num_parameters - self.qubits
        weights, losses = trained(shared, data, form, self.steps, self.minibatch, count)
        seen = predicted(shared, data.test, weights, form)
        return float(np.mean(seen == data.test_labels)), weights, losses


def baselines(data: Data) -> dict[str, float]:
    """What scikit-learn's own classifiers make of the same samples."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    models = {"SVM": SVC(), "logistic regression": LogisticRegression()}
    return {
        f"accuracy of {name}": float(
            model.fit(data.train, data.train_labels).score(data.test, data.test_labels)
        )
        for name, model in models.items()
    }
