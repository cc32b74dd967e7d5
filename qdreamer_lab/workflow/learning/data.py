"""A small data set with two classes, as angles for circuits: scikit-learn's own, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qdreamer_lab.errors import MotifError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Data", "load_data", "sklearn"]

SETS = ("breast_cancer", "digits", "iris", "wine")
"""Data sets that scikit-learn ships; of more than two classes the first two are told apart."""


@dataclass(frozen=True)
class Data:
    """Samples to learn from and to be judged by.

    Attributes:
        train: Features for learning, samples x features, about -1 to 1.
        train_labels: -1 or 1 for each.
        test: Features to be judged by.
        test_labels: Their labels.
    """

    train: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test: NDArray[np.float64]
    test_labels: NDArray[np.int64]


def sklearn() -> Any:
    """scikit-learn, which is not installed with the package.

    Raises:
        MotifError: It is not there.
    """
    try:
        import sklearn as found
    except ImportError:
        raise MotifError(
            "this motif needs scikit-learn: pip install 'qdreamer-lab[learn]'"
        ) from None
    return found


def load_data(name: str, features: int, samples: int, seed: int) -> Data:
    """A data set with as many features as circuits have qubits.

    Features are standardised, reduced to their principal components, and divided by three standard
    deviations; what that takes is learned from the training samples only.

    Args:
        name: One of scikit-learn's sets, or a CSV file whose last column is the class.
        features: Principal components to keep.
        samples: How many samples to take; a quarter of them is for judging.
        seed: Of the choice of samples.

    Raises:
        MotifError: There is no such set, values are missing, or there are too few.
    """
    sklearn()
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    values, classes = _read(name)
    _check(name, values, classes, features, samples)
    labels = np.where(classes == np.unique(classes)[0], -1, 1)
    keep = labels if samples == len(labels) else None
    if keep is None:
        values, _, labels, _ = train_test_split(
            values, labels, train_size=samples, stratify=labels, random_state=seed
        )
    train, test, train_labels, test_labels = train_test_split(
        values, labels, test_size=0.25, stratify=labels, random_state=seed
    )
    reduced = make_pipeline(StandardScaler(), PCA(features, random_state=seed), StandardScaler())
    reduced.fit(train)
    return Data(
        reduced.transform(train) / 3, train_labels, reduced.transform(test) / 3, test_labels
    )


def _read(name: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    from sklearn import datasets

    if name in SETS:
        found = getattr(datasets, f"load_{name}")()
        chosen = found.target < 2
        return np.asarray(found.data[chosen], dtype=float), found.target[chosen]
    path = Path(name)
    if not path.is_file():
        raise MotifError(f"data={name}: one of {', '.join(SETS)}, or a CSV file")
    try:
        table = np.genfromtxt(path, delimiter=",", skip_header=_has_head(path), ndmin=2)
    except ValueError as error:
        raise MotifError(f"data={name}: {str(error).splitlines()[0]}") from None
    return table[:, :-1], table[:, -1]


def _has_head(path: Path) -> int:
    with path.open() as file:
        first = file.readline().strip().split(",")
    try:
        [float(word) for word in first if word.strip()]
    except ValueError:
        return 1
    return 0


def _check(
    name: str, values: NDArray[np.float64], classes: NDArray[Any], features: int, samples: int
) -> None:
    table = np.column_stack([values, classes])
    if missing := np.argwhere(~np.isfinite(table)).tolist():
        places = ", ".join(f"row {row + 1}, column {column + 1}" for row, column in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise MotifError(
            f"data={name}: values are missing or no numbers: {places}{more}; fill them in or leave "
            "these samples out"
        )
    known, counts = np.unique(classes, return_counts=True)
    if len(known) != 2:
        raise MotifError(f"data={name}: two classes are told apart, and there are {len(known)}")
    if min(counts) * 4 < len(classes) / samples * 8 or samples < 8:
        raise MotifError(f"samples={samples}: too few to have some of each class for judging")
    if samples > len(values):
        raise MotifError(f"samples={samples}: data={name} has {len(values)} of these two classes")
    if features > min(values.shape[1], 3 * samples // 4):
        raise MotifError(
            f"qubits={features}: data={name} has {values.shape[1]} features, and no more components"
        )
